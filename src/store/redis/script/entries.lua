-- What is counted, and how an entry is stored and removed.
--
-- Counters by time slots, 16 of which make the life of what is counted: what Redis removed by itself is counted no longer
-- than that. A new slot is the occasion to forget those that are over.
local function totals()
  local sum, all = {e = 0, b = 0, l = 0}, call("HGETALL", N)
  for i = 1, #all, 2 do
    local kind, size, slot = match(all[i], "(.)(%d+):(%d+)")
    if slot ~= "0" and slot * 2 ^ size < time then call("HDEL", N, all[i])
    else sum[kind] = max(0, sum[kind] + all[i + 1]) end
  end
  return sum
end
local function tally(kind, at, life, by)
  local slot = "0:0"
  if life < FOREVER then
    local size = max(0, select(2, math.frexp(life)) - 4)
    slot = size..":"..int(math.ceil((at + life) / 2 ^ size))
  end
  if call("HINCRBY", N, kind..slot, by) == by then totals() end
end
local function account(head, by, size)
  local _, at, ttl, stale, mine = parse(head)
  if mine then
    tally("e", at, ttl + stale, by)
    tally("b", at, ttl + stale, by * (200 + #head + size))
  end
end
local function put(E, id, version, keep, ttl, stale, labels, bytes)
  local old, before = call("HGET", E, "h"), call("HSTRLEN", E, "b")
  if keep ~= "" and (not old or idOf(old) ~= keep) then return end
  local head = s("%016.0f%016.0f%016.0f%016.0f", version, time, ttl, stale)..epoch.."\n"..id.."\n"..labels
  local fresh = freshFor(head)
  if not fresh then return end
  local done
  if keep == "" then done = try("HSET", E, "h", head, "b", bytes) else done = try("HSET", E, "h", head) end
  if type(done) == "table" then return nil, done.err end
  if old then
    account(old, -1, before)
    call("HDEL", E, "x")
    call("PERSIST", E)
  end
  account(head, 1, keep == "" and #bytes or before)
  if ttl + stale < FOREVER then call("PEXPIRE", E, int(ttl + stale)) end
  return fresh
end
