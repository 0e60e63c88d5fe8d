// The script: each operation of the store contract as one atomic step in Redis, in Lua.
//
// It does exactly what `createPartition` does over its storage; there the reasons are written, here those of Redis.
//
// **Keys.** All of a partition share the hash tag of their name, and each that is touched is in KEYS: the metadata, the
// counters, and then for each operation on a key its entry and its lease.
//
// - Metadata, a hash: `w` the position in three lines, `e` the epochs, `f` floor, `k` the seq of the last mark of a tag, `c` the
//   number of marks (reserved tags aside), `o` the first seq of the log, `q` the number of partitions and the incarnation in
//   two lines; `g`+tag the seq of its invalidation, `x`+tag seq and instant of its expiry; `l`+seq a record, `n`+nonce its
//   seq.
// - An entry, a hash: `h` its head, `b` its bytes, `x` the instant of the first `expire`. Redis removes it at its end. A
//   head begins with version, instant, ttl and the longer window, of 16 digits each: patterns are slow. Then come lines.
// - A lease, a string: token, epoch, version, instant, span, scopes. A token of nothing: a back-off.
// - Counters, a hash: of entries (`e`), bytes (`b`) and leases (`l`) by the time slot in which they end. For `info` alone.
//
// **Losing keys.** Under any eviction policy, a flush or an expiry, a key is lost as a whole. Without its metadata a
// partition begins a new epoch, and whatever else was kept is foreign to it: marks, floor, log and position are in one key,
// so a mark cannot be missing where the epoch is known. A lost entry is a miss, a lost lease refuses a commit, lost counters
// misinform an operator. An entry is one key: it has head and bytes, or neither.
//
// **Memory limit.** Redis refuses a script only at its first write, and only if that may grow; after any write it lets
// everything pass, so that no script ends half-way. Hence a value begins with its HSET, whose refusal leaves all as it was
// (a commit then gives its lease back), and an invalidation with a deletion, so that it is done when nothing else is. What is
// counted is counted last.
//
// **Time.** The metadata expires at a fixed instant: what is left until then tells the server's clock, in scripts where
// there is no other way, too. It is the wall clock, so deadlines hold across epochs.

/** Of the names of epochs. All are of one length: so none begins with another, and they are found by their place. */
export const EPOCH_LENGTH = 22;

/** A pattern of so many fields, each ended by a line feed. */
const fields = (count: number): string => "([^\\n]*)\\n".repeat(count);

// What a hit needs comes first, and a hit ends here: to define the functions that follow takes longer than to find it.
const hits = `
local call, pcall, n, s, match, gmatch, sub, max = redis.call, redis.pcall, tonumber, string.format, string.match, string.gmatch, string.sub, math.max
local FOREVER, END, INT = 9007199254740991, 4000000000000, "%.17g"
local M, N = KEYS[1], KEYS[2]
local left, meta = call("PTTL", M), pcall("HMGET", M, "w", "k", "q")
local position, marked, setting = meta[1], n(meta[2] or ""), meta[3]
local lost = left < 0 or not (position and marked and setting)
local epoch, time, found = not lost and sub(position, 1, ${EPOCH_LENGTH}), END - left, ""
local function answer(result, head, bytes)
  if bytes and sub(ARGV[3], 1, 1) == "t" then
    bytes = string.gsub(bytes, "[\\128-\\255]", function(byte)
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
  local row = call("HMGET", E, "h", "x", held == "" and "b" or "x")
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

// The number of partitions is looked at before anything is done. The incarnation of the server is compared with the one that
// the epoch began in; INFO is slow, so only when they differ.
const epochs = `
local channel, candidate, role = match(ARGV[3], "^.${fields(3)}")
local function wake(what) if channel ~= "" then pcall("PUBLISH", channel, what) end end
local parts, sent = match(ARGV[1], "^(%d+)\\n(.*)")
local recorded, server = match(setting or "", "^(%d+)\\n(.*)")
local seq, tip = match(lost and "" or position, "\\n(%d+)\\n(.*)")
seq = n(seq or "")
lost = lost or not seq
if lost or parts ~= recorded then
  if role == "" then return {"ask"} end
  if not lost and role == "first" then return {"moved\\n"..recorded} end
  lost = true
end
if sent ~= "" and (lost or sent ~= server) then
  for section, name in gmatch("server run_id replication master_replid", "(%S+) (%S+)") do
    local info = pcall("INFO", section)
    found = found.."-"..(type(info) == "string" and match(info, name..":(%w+)") or "")
  end
  lost = lost or found ~= server
end
local known = not lost and call("HGET", M, "e") or ""
local function contradicts(past, at, nonce)
  if sub(known, 1, #past) ~= past then return not string.find(known, past, 1, true) end
  at = n(at)
  if at < 1 then return false end
  if at > seq then return true end
  local here = tip
  if at < seq then here = match(call("HGET", M, "l"..s(INT, at)) or "", "^[^\\n]*\\n([^\\n]*)") end
  return here and here ~= nonce
end
local seen = match(ARGV[2], "^[^\\n]*")
lost = lost or seen ~= "" and contradicts(match(ARGV[2], "^${fields(2)}(.*)")) or ARGV[4] == "h" and contradicts(ARGV[5], ARGV[6], ARGV[7])
local function move(at, nonce)
  seq, tip, position = at, nonce, epoch.."\\n"..s(INT, at).."\\n"..nonce
end
if lost then
  if known == "" then known = pcall("HGET", M, "e") end
  known = sub(candidate.." "..seen.." "..(type(known) == "string" and known or ""), 1, 500)
  epoch = candidate
  move(0, "")
  call("DEL", M, N)
  call("HSET", M, "w", position, "e", known, "f", 0, "k", 0, "c", 0, "o", 1, "q", parts.."\\n"..(found ~= "" and found or server or ""))
  call("PEXPIREAT", M, END)
  marked, left = 0, call("PTTL", M)
  time = END - left
  wake("*")
end
`;

// Counters by time slots, 16 of which make the life of what is counted: what Redis removed by itself is counted no longer
// than that. A new slot is the occasion to forget those that are over.
const counting = `
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
    slot = size..":"..s(INT, math.ceil((at + life) / 2 ^ size))
  end
  if call("HINCRBY", N, kind..slot, by) == by then totals() end
end
`;

const entries = `
local function account(head, by, size)
  local _, at, ttl, stale, mine = parse(head)
  if mine then
    tally("e", at, ttl + stale, by)
    tally("b", at, ttl + stale, by * (200 + #head + size))
  end
end
local function remove(E)
  local old = call("HGET", E, "h")
  if old then account(old, -1, call("HSTRLEN", E, "b")) end
  call("DEL", E)
end
local function put(E, id, version, keep, ttl, stale, labels, bytes)
  local old, before = call("HGET", E, "h"), call("HSTRLEN", E, "b")
  if keep ~= "" and (not old or idOf(old) ~= keep) then return end
  local head = s("%016.0f%016.0f%016.0f%016.0f", version, time, ttl, stale)..epoch.."\\n"..id.."\\n"..labels
  local fresh = freshFor(head)
  if not fresh then return end
  local done
  if keep == "" then done = pcall("HSET", E, "h", head, "b", bytes) else done = pcall("HSET", E, "h", head) end
  if type(done) == "table" then return nil, done.err end
  if old then
    account(old, -1, before)
    call("HDEL", E, "x")
    call("PERSIST", E)
  end
  account(head, 1, keep == "" and #bytes or before)
  if ttl + stale < FOREVER then call("PEXPIRE", E, s(INT, ttl + stale)) end
  return fresh
end
`;

// A lease's record outlives its deadline by ten minutes, in which a late commit is accepted if nobody took over.
const leases = `
local function leaseOf(L)
  local token, born, version, at, span, scopes = match(call("GET", L) or "", "^${fields(5)}(.*)")
  if born == epoch then return token, n(version), n(at), n(span), scopes end
end
local function forget(token, at, span) if token then tally("l", at, span + 600000, -1) end end
local function sound(version, scopes)
  for scope in gmatch(scopes, "([^\\n]*)\\n") do
    if n(call("HGET", M, "g"..scope) or 0) > version then return false end
  end
  return true
end
local function grant(L, token, version, span, scopes)
  local old, _, at, spanned = leaseOf(L)
  local record = token.."\\n"..epoch.."\\n"..s(INT, version).."\\n"..time.."\\n"..s(INT, span).."\\n"..scopes
  local done = pcall("SET", L, record, "PX", s(INT, span + 600000))
  if done.err then return done.err end
  forget(old, at, spanned)
  tally("l", time, span + 600000, 1)
end
local function finish(E, L)
  local token, _, at, span = leaseOf(L)
  if call("DEL", L) == 1 then wake("="..sub(E, #M + 2)) end
  forget(token, at, span)
end
`;

const operations = `
local function late(deadline) return deadline ~= "" and time > n(deadline) end
local run = {}
function run.r(E, L, held, refresh, wish)
  local token, span, scopes = match(wish, "^${fields(2)}(.*)")
  local fresh, head, bytes = find(E, held)
  local result = (fresh and s(INT, fresh) or "").."\\n"
  if token == "" or serves(fresh, head, refresh) then return result, head, bytes end
  local owner, version, at, spanned, theirs = leaseOf(L)
  if owner == token then return result..s(INT, version), head, bytes end
  if owner and sound(version, theirs) and (owner ~= "" or fresh) then
    if at > time then grant(L, owner, version, spanned, theirs) end
    local wait = spanned - since(at)
    if wait > 0 then return result.."\\n"..s(INT, wait).."\\n"..owner, head, bytes end
  end
  local refused = grant(L, token, seq, math.min(n(span), 600000), scopes)
  if refused then return nil, refused end
  return result..s(INT, seq), head, bytes
end
function run.c(E, L, token, born, version, deadline, keep, ...)
  local owner, granted = leaseOf(L)
  if owner ~= token then return "" end
  local fresh, refused
  if granted == n(version) and born == epoch and not late(deadline) then
    fresh, refused = put(E, token, granted, keep, ...)
  end
  finish(E, L)
  if refused then return nil, refused end
  return fresh and s(INT, fresh) or ""
end
function run.n(E, L, token, span)
  local owner, version, _, _, scopes = leaseOf(L)
  if owner ~= token or not sound(version, scopes) then return "" end
  local refused = grant(L, token, version, math.min(n(span), 600000), scopes)
  return not refused and "1", refused
end
function run.l(E, L, token, span)
  local owner, version, _, _, scopes = leaseOf(L)
  if owner == token then
    finish(E, L)
    if n(span) > 0 then grant(L, "", version, n(span), scopes) end
  end
  return ""
end
function run.h(_, _, born, from)
  local first = max(1, n(from))
  if born ~= epoch or n(call("HGET", M, "o")) > first then return "" end
  local size, records = 0, {}
  for i = first, seq do
    local record = call("HGET", M, "l"..s(INT, i))
    size = size + #(record or "")
    if not record or size > 1048576 then return "" end
    if i > n(from) then records[#records + 1] = record end
  end
  return "1", table.concat(records, "\\r")
end
function run.i()
  local sum, log = totals(), call("HMGET", M, "c", "o")
  return s("%.0f\\n%.0f\\n%.0f\\n%.0f\\n%.0f", sum.e, sum.b, sum.l, log[1], seq + 1 - log[2])
end
`;

// Marks are counted, and looked through only when there are too many.
const writing = `
local function prune(keep)
  local names, at, count, seqs, gone = {}, {}, {}, {}, {}
  for _, name in ipairs(call("HKEYS", M)) do
    if match(name, "^[gx][^@]") or match(name, "^[gx]$") then names[#names + 1] = name end
  end
  for i = 1, #names, 1000 do
    for j, mark in ipairs(call("HMGET", M, unpack(names, i, math.min(i + 999, #names)))) do
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
  for i = 1, #gone, 1000 do call("HDEL", M, unpack(gone, i, math.min(i + 999, #gone))) end
  call("HSET", M, "f", s(INT, max(floor, n(call("HGET", M, "f")))), "c", above)
end
function run.w(E, L, kind, nonce, deadline, tags, records, ttl, stale, rest, bytes)
  local first = call("HGET", M, "n"..nonce)
  first = first and call("HGET", M, "l"..first)
  if first then return "", first end
  if late(deadline) then return "" end
  local version, expire, what = seq + 1, kind == "e" or kind == "x", "t\\n"..rest
  local fresh, refused
  if kind == "s" then fresh, refused = put(E, "="..nonce, version, "", ttl, stale, rest, bytes) end
  if refused then return nil, refused end
  if not fresh then call("HDEL", M, "") end
  if kind == "t" or kind == "x" then
    local value, added, all = s(INT, version)..(expire and " "..time or ""), 0
    for tag in gmatch(rest, "([^\\n]*)\\n") do
      local new = call("HSET", M, (expire and "x" or "g")..tag, value)
      if sub(tag, 1, 1) == "@" then all = true else added = added + new end
    end
    marked = version
    call("HINCRBY", M, "c", added)
    call("HSET", M, "k", s(INT, version))
    if all then wake("*") end
  else
    what = "k\\n"..sub(E, #M + 2).."\\n"
    finish(E, L)
    if kind ~= "e" then
      if not fresh then remove(E) end
    elseif call("EXISTS", E) == 1 then
      call("HSET", E, "x", math.min(call("HGET", E, "x") or time, time))
    end
  end
  move(version, nonce)
  local id = s(INT, seq)
  local record = id.."\\n"..nonce.."\\n"..time.."\\n"..(expire and "1" or "").."\\n"..what
  call("HSET", M, "w", position, "l"..id, record, "n"..nonce, id)
  local oldest = n(call("HGET", M, "o"))
  for i = oldest, math.min(seq - records, oldest + 9) do
    id = "l"..s(INT, i)
    call("HDEL", M, id, "n"..(match(call("HGET", M, id) or "", "^[^\\n]*\\n([^\\n]*)") or ""))
    call("HSET", M, "o", s(INT, i + 1))
  end
  if seq % math.ceil(tags / 100) == 0 and n(call("HGET", M, "c")) > n(tags) then prune(n(tags)) end
  return "", record
end
`;

// Five replies for each operation: position (and incarnation), time, result, text, bytes. Of a client that reads all replies as text, bytes are
// sent as the UTF-8 of the characters with their numbers.
const closing = `
local out, arg, key, size = {}, 4, 3, 0
local args = {r = 3, c = 9, n = 2, l = 2, w = 9, h = 3, i = 0}
while ARGV[arg] and size < 4194304 do
  local op, kind, last = ARGV[arg], ARGV[arg + 1], arg + args[ARGV[arg]]
  local result, head, bytes = run[op](KEYS[key], KEYS[key + 1], unpack(ARGV, arg + 1, last))
  if op ~= "w" or kind ~= "t" and kind ~= "x" then key = key + 2 end
  arg, size = last + 1, size + #(bytes or "")
  for _, part in ipairs(result and {answer(result, head, bytes)} or {"error", 0, head, false, false}) do out[#out + 1] = part end
end
return out
`;

export const script = [hits, epochs, counting, entries, leases, operations, writing, closing].join("");

/** Its SHA-1, by which Redis knows it. */
export const scriptHash = "2c8de5d2e0199c2395e97424ed281d2056d98fc5";
