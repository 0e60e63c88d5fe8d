-- What a hit needs comes first, and a hit ends here: to define the functions that follow takes longer than to find it. The
-- plainest one, of an entry that is newer than all marks, does without functions.
local call, try, n, sub, min, max = redis.call, redis.pcall, tonumber, string.sub, math.min, math.max
local FOREVER, M = 2 ^ 53 - 1, KEYS[1]
local left, meta, row = call("PTTL", M), try("HMGET", M, "w", "k", "q")
local position, marked, setting, time, found, only = meta[1], meta[2], meta[3], END - left, "", ARGV[4] == "r" and not ARGV[8]
local lost = left < 0 or not (position and marked and setting)
local epoch = not lost and sub(position, 1, EPOCH_LENGTH)
local usual = only and not lost and ARGV[1] == setting and (ARGV[2] == "" or ARGV[2] == position)
if only and ARGV[5] == "" then
  row = call("HMGET", KEYS[3], "h", "x", "b")
  local head = row[1]
  if usual and head and row[3] and not row[2] and ARGV[6] == "" and sub(head, 65, 64 + EPOCH_LENGTH) == epoch
    and sub(head, 1, 16) - marked >= 0 then
    local fresh = sub(head, 33, 48) - max(0, time - sub(head, 17, 32))
    if fresh > 0 and fresh < 1e15 then return {{position, left, fresh, head, row[3]}} end
  end
end
local s, match, gmatch, N = string.format, string.match, string.gmatch, KEYS[2]
marked = n(marked or "")
lost = lost or not marked
local function int(number) return s("%.17g", number) end
local function answer(result, head, bytes)
  return {found == "" and position or position.."\n"..found, left, result, head, bytes}
end
local function since(at) return max(0, time - at) end
local function parse(head)
  return n(sub(head, 1, 16)), n(sub(head, 17, 32)), n(sub(head, 33, 48)), n(sub(head, 49, 64)), sub(head, 65, 64 + EPOCH_LENGTH) == epoch
end
local function idOf(head) return match(head, "\n(.-)\n") end
local function freshFor(head, staleAt)
  local version, at, ttl, stale, mine = parse(head)
  if not mine then return end
  if version < marked then
    local names, tagged = {"f"}
    for tag in gmatch(match(head, "^.-\n.-\n.-\n.-\n.-\n.-\n.-\n(.*)"), "(.-)\n") do
      tagged = tagged or sub(tag, 1, 1) ~= "@"
      names[#names + 1] = "g"..tag
      names[#names + 1] = "x"..tag
    end
    local marks = call("HMGET", M, unpack(names))
    if tagged and version < n(marks[1]) then return end
    for i = 2, #names do
      local mark, instant = match(marks[i] or "0", "(%S+) ?(.*)")
      if n(mark) > version then
        if instant == "" then return end
        staleAt = min(staleAt or FOREVER, n(instant))
      end
    end
  end
  if ttl < FOREVER then ttl = ttl - since(at) end
  if staleAt then ttl = min(ttl, 0 - since(staleAt)) end
  if ttl + stale > 0 then return ttl end
end
local function find(E, held)
  local row = row or call("HMGET", E, "h", "x", held == "" and "b" or "x")
  local head, bytes = row[1], row[3]
  local fresh = head and freshFor(head, n(row[2] or ""))
  if not fresh then return end
  if held ~= "" then bytes = idOf(head) == held or call("HGET", E, "b") end
  if bytes then return fresh, head, bytes ~= true and bytes end
end
local function serves(fresh, head, refresh) return fresh and fresh > 0 and (refresh == "" or idOf(head) ~= refresh) end
if usual and not lost then
  local fresh, head, bytes = find(KEYS[3], ARGV[5])
  if serves(fresh, head, ARGV[6]) then return {answer(fresh < 1e15 and fresh or int(fresh), head, bytes)} end
end
