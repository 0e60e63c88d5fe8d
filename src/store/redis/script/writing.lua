-- Sets and invalidations, their log, and the bounds of what is remembered.
--
-- Marks are counted, and looked through only when there are too many.
local function prune(keep)
  local names, at, count, seqs, gone = {}, {}, {}, {}, {}
  for _, name in ipairs(call("HKEYS", M)) do
    if match(name, "^[gx][^@]") or match(name, "^[gx]$") then names[#names + 1] = name end
  end
  for i = 1, #names, 1000 do
    for j, mark in ipairs(call("HMGET", M, unpack(names, i, min(i + 999, #names)))) do
      local mark = n(match(mark, "%S+"))
      at[i + j - 1] = mark
      if not count[mark] then seqs[#seqs + 1] = mark end
      count[mark] = (count[mark] or 0) + 1
    end
  end
  table.sort(seqs)
  local last, above = #seqs, 0
  while last > 0 and above + count[seqs[last]] <= keep do
    above = above + count[seqs[last]]
    last = last - 1
  end
  local floor = seqs[last] or 0
  for i = 1, #names do if at[i] <= floor then gone[#gone + 1] = names[i] end end
  for i = 1, #gone, 1000 do call("HDEL", M, unpack(gone, i, min(i + 999, #gone))) end
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
      if not fresh then remove(E) end
    elseif call("EXISTS", E) == 1 then
      call("HSET", E, "x", min(call("HGET", E, "x") or time, time))
    end
  end
  move(version, nonce)
  local id = int(seq)
  local record = id.."\n"..nonce.."\n"..time.."\n"..(expire and "1" or "").."\n"..what
  call("HSET", M, "w", position, "l"..id, record, "n"..nonce, id)
  local oldest = n(call("HGET", M, "o"))
  for i = oldest, min(seq - records, oldest + 9) do
    id = "l"..int(i)
    call("HDEL", M, id, "n"..(match(call("HGET", M, id) or "", "^.-\n(.-)\n") or ""))
    call("HSET", M, "o", i + 1)
  end
  if seq % math.ceil(tags / 100) == 0 and n(call("HGET", M, "c")) > n(tags) then prune(n(tags)) end
  return "", record
end
