// What a hit needs: it comes first, and a hit ends here.
import { EPOCH_LENGTH, fields } from "./text.ts";
import { unpacking } from "../plain.ts";

// What a hit needs comes first, and a hit ends here: to define the functions that follow takes longer than to find it. The
// plainest one, of an entry that is newer than all marks, does without functions.
export const hits = `
local call, pcall, n, sub, max = redis.call, redis.pcall, tonumber, string.sub, math.max
local FOREVER, END, INT, M = 9007199254740991, 4000000000000, "%.17g", KEYS[1]
local left, meta, row = call("PTTL", M), pcall("HMGET", M, "w", "k", "q")
local position, time = meta[1], END - left
if ARGV[4] == "r" and ARGV[5] == "" and not ARGV[8] then
  row = call("HMGET", KEYS[3], "h", "x", "b")
  local head = row[1]
  if position and head and row[3] and not row[2] and left > 0 and ARGV[6] == "" and ARGV[1] == meta[3] and (ARGV[2] == "" or ARGV[2] == position)
    and sub(head, 65, ${64 + EPOCH_LENGTH}) == sub(position, 1, ${EPOCH_LENGTH}) and sub(head, 1, 16) - (meta[2] or FOREVER) >= 0 and sub(ARGV[3], 1, 1) == "b" then
    local fresh = sub(head, 33, 48) - max(0, time - sub(head, 17, 32))
    if fresh > 0 and fresh < 1e15 then return {position, left, fresh, head, row[3]} end
  end
end
${unpacking}
local s, match, gmatch, N, marked, setting, found = string.format, string.match, string.gmatch, KEYS[2], n(meta[2] or ""), meta[3], ""
local lost = left < 0 or not (position and marked and setting)
local epoch = not lost and sub(position, 1, ${EPOCH_LENGTH})
local function answer(result, head, bytes)
  if bytes and sub(ARGV[3], 1, 1) == "t" then
    bytes = "="..string.gsub(bytes, "[\\128-\\255]", function(byte)
      local code = string.byte(byte)
      return string.char(192 + math.floor(code / 64), 128 + code % 64)
    end)
  end
  return found == "" and position or position.."\\n"..found, left, result, head or false, bytes or false
end
local function since(at) return max(0, time - at) end
local function parse(head)
  return n(sub(head, 1, 16)), n(sub(head, 17, 32)), n(sub(head, 33, 48)), n(sub(head, 49, 64)), sub(head, 65, ${64 + EPOCH_LENGTH}) == epoch
end
local function idOf(head) return match(head, "\\n([^\\n]*)") end
local function freshFor(head, staleAt)
  local version, at, ttl, stale, mine = parse(head)
  if not mine then return end
  if version < marked then
    local names, tagged = {"f"}, false
    for tag in gmatch(match(head, "^${fields(7).replaceAll(/[()]/g, "")}(.*)"), "([^\\n]*)\\n") do
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
        staleAt = math.min(staleAt or FOREVER, n(instant))
      end
    end
  end
  if ttl < FOREVER then ttl = ttl - since(at) end
  if staleAt then ttl = math.min(ttl, 0 - since(staleAt)) end
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
if not lost and ARGV[1] == setting and (ARGV[2] == "" or ARGV[2] == position) and ARGV[4] == "r" and not ARGV[8] then
  local fresh, head, bytes = find(KEYS[3], ARGV[5])
  if serves(fresh, head, ARGV[6]) then return {answer(fresh < 1e15 and fresh or s(INT, fresh), head, bytes)} end
end
`;
