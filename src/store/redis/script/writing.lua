-- Sets and invalidations, their log, and the bounds of what is remembered.
--
-- Marks are counted, and looked through only when there are too many.
local function prune(keep)
  local names, at, marks, above = {}, {}, {}, 0
  for _, name in ipairs(call("HKEYS", M)) do
    if match(name, "^[gx]") and sub(name, 2, 2) ~= "@" then
      names[#names + 1] = name
      at[#names] = n(match(call("HGET", M, name), "%S+"))
      marks[#names] = at[#names]
    end
  end
  table.sort(marks)
  -- All of one invalidation stay or go together.
  local floor = marks[#marks - keep] or 0
  for i, mark in ipairs(at) do
    if mark > floor then above = above + 1 else call("HDEL", M, names[i]) end
  end
  call("HSET", M, "f", max(floor, n(call("HGET", M, "f"))), "c", above)
end
function run.w(E, L, kind, nonce, deadline, tags, records, ttl, stale, rest, bytes)
  local first = call("HGET", M, "n"..nonce)
  first = first and call("HGET", M, "l"..first)
  if first then return "", first end
  if late(deadline) then return "" end
  local version, expire, what = seq + 1, kind == "e" or kind == "x", "t\n"..rest
  local fresh, refused
  if kind == "s" then fresh, refused = put(E, "="..nonce, version, "", ttl, stale, rest, bytes) end
  if refused then return nil, refused end
  if not fresh then call("HDEL", M, "") end
  if kind == "t" or kind == "x" then
    local value, added, all = int(version)..(expire and " "..time or ""), 0
    for tag in gmatch(rest, "(.-)\n") do
      local new = call("HSET", M, (expire and "x" or "g")..tag, value)
      if sub(tag, 1, 1) == "@" then all = true else added = added + new end
    end
    marked = version
    call("HINCRBY", M, "c", added)
    call("HSET", M, "k", version)
    if all then wake("*") end
  else
    what = "k\n"..sub(E, #M + 2).."\n"
    finish(E, L)
    if kind ~= "e" then
      if not fresh then
        local old = call("HGET", E, "h")
        if old then account(old, -1, call("HSTRLEN", E, "b")) end
        call("DEL", E)
      end
    elseif call("EXISTS", E) == 1 then
      call("HSET", E, "x", min(call("HGET", E, "x") or time, time))
    end
  end
  move(version, nonce)
  local id = int(seq)
  local record = id.."\n"..nonce.."\n"..time.."\n"..(expire and "1" or "").."\n"..what
  call("HSET", M, "w", position, "l"..id, record, "n"..nonce, id)
  -- Whoever hears no more than the position asks for the record. Event streams carry no line feeds; no text has a tab.
  wake((string.gsub(#record < 16384 and "!"..epoch.."\n"..record or "?"..position, "\n", "\t")))
  local oldest = n(call("HGET", M, "o"))
  for i = oldest, min(seq - records, oldest + 9) do
    id = "l"..int(i)
    call("HDEL", M, id, "n"..(match(call("HGET", M, id) or "", "^.-\n(.-)\n") or ""))
    call("HSET", M, "o", i + 1)
  end
  if seq % math.ceil(tags / 100) == 0 and n(call("HGET", M, "c")) > n(tags) then prune(n(tags)) end
  return "", record
end
