// The script: each operation of the store contract as one atomic step in Redis, in Lua.
//
// It does exactly what `createPartition` does over its storage; there the reasons are written, here those of Redis.
//
// **Keys.** All of a partition share the hash tag of their name, and each that is touched is in KEYS: the metadata, the
// counters, and then for each operation on a key its entry and its lease.
//
// - Metadata, a hash: `e` the epochs, `s` seq, `t` tip, `f` floor, `k` the seq of the last mark of a tag, `c` the number of
//   marks (reserved tags aside), `o` the first seq of the log, `p` the number of partitions, `r` the incarnation;
//   `g`+tag the seq of its invalidation, `x`+tag seq and instant of its expiry; `l`+seq a record, `n`+nonce its seq.
// - An entry, a hash: `h` its head, `b` its bytes, `x` the instant of the first `expire`. Redis removes it at its end.
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
// (a commit then gives its lease back), and an invalidation with a deletion, so that it is done when nothing else is.
//
// **Time.** The metadata expires at a fixed instant: what is left until then tells the server's clock, in scripts where
// there is no other way, too. It is the wall clock, so deadlines hold across epochs.

import { unpacking } from "./plain.ts";

/** A pattern of so many fields, each ended by a line feed. */
const fields = (count: number): string => "([^\\n]*)\\n".repeat(count);

// The request's head; then the metadata. The number of partitions is looked at before anything is done.
const opening = `
local call, pcall, n, match, gmatch, sub, max = redis.call, redis.pcall, tonumber, string.match, string.gmatch, string.sub, math.max
local FOREVER, END = 9007199254740991, 4000000000000
local M, N = KEYS[1], KEYS[2]
local channel, mode, candidate, sent, parts, role, wEpoch, wSeq, wTip = match(ARGV[1], "^${fields(9)}")
local left = call("PTTL", M)
local meta = pcall("HMGET", M, "e", "s", "t", "f", "k", "p", "r")
local epochs, seq, tip, floor, marked, server = meta[1], n(meta[2] or ""), meta[3], n(meta[4] or ""), n(meta[5] or ""), meta[7]
local lost = left < 0 or not (epochs and seq and tip and floor and marked)
if lost or meta[6] ~= parts then
  if role == "" then return {"ask"} end
  if not lost and role == "first" then return {"moved\\n"..meta[6]} end
  lost = true
end
local time = END - left
local function s(number) return string.format("%.17g", number) end
local function wake(what) if channel ~= "" then pcall("PUBLISH", channel, what) end end
local function since(at) return max(0, time - at) end
`;

// The incarnation of the server is compared with the one that the epoch began in; INFO is slow, so only when they differ.
const epochs = `
local function incarnation()
  local id = ""
  for section, name in gmatch("server run_id replication master_replid", "(%S+) (%S+)") do
    local info = pcall("INFO", section)
    id = id.."-"..(type(info) == "string" and match(info, name..":(%w+)") or "")
  end
  return id
end
local found = ""
if sent ~= "" and (lost or sent ~= server) then
  found = incarnation()
  lost = lost or found ~= server
end
local function contradicts(epoch, at, nonce)
  if sub(epochs, 1, #epoch) ~= epoch then return not string.find(epochs, epoch, 1, true) end
  at = n(at)
  if at < 1 then return false end
  if at > seq then return true end
  local here = tip
  if at < seq then here = match(call("HGET", M, "l"..s(at)) or "", "^[^\\n]*\\n([^\\n]*)") end
  return here and here ~= nonce
end
lost = lost or contradicts(wEpoch, wSeq, wTip)
if not lost and sub(ARGV[2], 1, 1) == "h" then lost = contradicts(match(ARGV[2], "^h\\n${fields(3)}")) end
if lost then
  epochs = sub(candidate.." "..wEpoch.." "..(epochs or ""), 1, 500)
  call("DEL", M, N)
  call("HSET", M, "e", epochs, "s", 0, "t", "", "f", 0, "k", 0, "c", 0, "o", 1, "p", parts, "r", found ~= "" and found or server or "")
  call("PEXPIREAT", M, END)
  seq, tip, floor, marked, time = 0, "", 0, 0, END - call("PTTL", M)
  wake("*")
end
local epoch = match(epochs, "^%S*")
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
    slot = s(size)..":"..s(math.ceil((at + life) / 2 ^ size))
  end
  if call("HINCRBY", N, kind..slot, s(by)) == by then totals() end
end
`;

const entries = `
local function freshFor(version, at, ttl, stale, tags, staleAt)
  if version < marked then
    local names, tagged = {}, false
    for tag in gmatch(tags, "([^\\n]*)\\n") do
      tagged = tagged or sub(tag, 1, 1) ~= "@"
      names[#names + 1] = "g"..tag
      names[#names + 1] = "x"..tag
    end
    if tagged and version < floor then return end
    local marks = names[1] and call("HMGET", M, unpack(names)) or {}
    for i = 1, #names do
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
local function parse(head)
  local id, born, version, at, ttl, swr, sie, tags = match(head, "^${fields(7)}[^\\n]*\\n[^\\n]*\\n(.*)")
  return id, born, n(version), n(at), n(ttl), max(n(swr), n(sie)), tags
end
local function find(E, held)
  local row = call("HMGET", E, "h", "x", held == "" and "b" or "h")
  if not row[1] then return end
  local id, born, version, at, ttl, stale, tags = parse(row[1])
  if born ~= epoch then return end
  local fresh = freshFor(version, at, ttl, stale, tags, row[2] and n(row[2]))
  if not fresh then return end
  local bytes = held ~= id and (held == "" and row[3] or call("HGET", E, "b"))
  if bytes or held == id then return fresh, id, row[1], bytes end
end
local function account(E, head, by)
  local _, born, _, at, ttl, stale = parse(head)
  if born ~= epoch then return end
  tally("e", at, ttl + stale, by)
  tally("b", at, ttl + stale, by * (200 + #head + call("HSTRLEN", E, "b")))
end
local function remove(E)
  local old = call("HGET", E, "h")
  if old then account(E, old, -1) end
  call("DEL", E)
end
local function put(E, id, version, labels, keep, bytes)
  local old = call("HGET", E, "h")
  if keep ~= "" and match(old or "", "^[^\\n]*") ~= keep then return end
  local head = id.."\\n"..epoch.."\\n"..s(version).."\\n"..s(time).."\\n"..labels
  local _, _, _, _, ttl, stale, tags = parse(head)
  local fresh = freshFor(version, time, ttl, stale, tags)
  if not fresh then return end
  local before = old and call("HSTRLEN", E, "b")
  local done = bytes and pcall("HSET", E, "h", head, "b", bytes) or pcall("HSET", E, "h", head)
  if type(done) == "table" then return nil, done.err end
  if old then
    local _, born, _, at, ttl, stale = parse(old)
    if born == epoch then
      tally("e", at, ttl + stale, -1)
      tally("b", at, ttl + stale, -200 - #old - before)
    end
    call("HDEL", E, "x")
    call("PERSIST", E)
  end
  if ttl + stale < FOREVER then call("PEXPIRE", E, s(math.ceil(ttl + stale))) end
  account(E, head, 1)
  return fresh
end
`;

// A lease's record outlives its deadline by ten minutes, in which a late commit is accepted if nobody took over.
const leases = `
local function leaseOf(L)
  local token, born, version, at, span, scopes = match(call("GET", L) or "", "^${fields(5)}(.*)")
  if born == epoch then return token, n(version), n(at), n(span), scopes end
end
local function forget(L)
  local token, _, at, span = leaseOf(L)
  if token then tally("l", at, span + 600000, -1) end
  return call("DEL", L)
end
local function sound(version, scopes)
  for scope in gmatch(scopes, "([^\\n]*)\\n") do
    if n(call("HGET", M, "g"..scope) or 0) > version then return false end
  end
  return true
end
local function grant(L, token, version, span, scopes)
  local old, _, at, spanned = leaseOf(L)
  local record = token.."\\n"..epoch.."\\n"..s(version).."\\n"..s(time).."\\n"..s(span).."\\n"..scopes
  local done = pcall("SET", L, record, "PX", s(math.ceil(span + 600000)))
  if done.err then return done.err end
  if old then tally("l", at, spanned + 600000, -1) end
  tally("l", time, span + 600000, 1)
end
local function finish(E, L) if forget(L) == 1 then wake("="..sub(E, #M + 2)) end end
`;

const operations = `
local function late(deadline) return deadline ~= "" and time > n(deadline) end
local operations = {}
function operations.r(rest, E, L)
  local token, span, refresh, held, scopes = match(rest, "^${fields(4)}(.*)")
  local fresh, id, head, bytes = find(E, held)
  local line = (fresh and s(fresh) or "").."\\n"
  if token ~= "" and not (fresh and fresh > 0 and refresh ~= id) then
    local owner, version, at, spanned, theirs = leaseOf(L)
    if owner == token then return line..s(version), head, bytes end
    if owner and sound(version, theirs) and (owner ~= "" or fresh) then
      if at > time then grant(L, owner, version, spanned, theirs) end
      local wait = spanned - since(at)
      if wait > 0 then return line.."\\n"..s(wait).."\\n"..owner, head, bytes end
    end
    local refused = grant(L, token, seq, math.min(n(span), 600000), scopes)
    if refused then return nil, refused end
    line = line..s(seq)
  end
  return line, head, bytes
end
function operations.c(rest, E, L, bytes)
  local token, born, version, deadline, keep, labels = match(rest, "^${fields(5)}(.*)")
  local owner, granted = leaseOf(L)
  if owner ~= token then return "" end
  local fresh, refused
  if granted == n(version) and born == epoch and not late(deadline) then
    fresh, refused = put(E, token, granted, labels, keep, keep == "" and bytes)
  end
  finish(E, L)
  if refused then return nil, refused end
  return fresh and s(fresh) or ""
end
function operations.n(rest, E, L)
  local token, span = match(rest, "^${fields(2)}")
  local owner, version, _, _, scopes = leaseOf(L)
  if owner ~= token or not sound(version, scopes) then return "" end
  local refused = grant(L, token, version, math.min(n(span), 600000), scopes)
  return not refused and "1", refused
end
function operations.l(rest, E, L)
  local token, span = match(rest, "^${fields(2)}")
  local owner, version, _, _, scopes = leaseOf(L)
  if owner ~= token then return "" end
  finish(E, L)
  if n(span) > 0 then grant(L, "", version, n(span), scopes) end
  return ""
end
function operations.h(rest)
  local born, from = match(rest, "^${fields(2)}")
  from = n(from)
  local first = max(1, from)
  if born ~= epoch or n(call("HGET", M, "o")) > first then return "" end
  local size, records = 0, {}
  for i = first, seq do
    local record = call("HGET", M, "l"..s(i))
    if not record then return "" end
    size = size + #record
    if size > 1048576 then return "" end
    if i > from then records[#records + 1] = record end
  end
  return "1", table.concat(records, "\\r")
end
function operations.i()
  local sum, log = totals(), call("HMGET", M, "c", "o")
  return s(sum.e).."\\n"..s(sum.b).."\\n"..s(sum.l).."\\n"..log[1].."\\n"..s(seq + 1 - log[2])
end
`;

// Marks are counted, and looked through only when there are too many.
const writing = `
local function inParts(command, names, each)
  for i = 1, #names, 1000 do
    local some = call(command, M, unpack(names, i, math.min(i + 999, #names)))
    for j = 1, each and #some or 0 do each(names[i + j - 1], some[j]) end
  end
end
local function prune(keep)
  local names, count, seqs = {}, {}, {}
  for _, name in ipairs(call("HKEYS", M)) do
    if match(name, "^[gx][^@]") or match(name, "^[gx]$") then names[#names + 1] = name end
  end
  inParts("HMGET", names, function(_, mark)
    local at = n(match(mark, "%S+"))
    if not count[at] then count[at] = 0 seqs[#seqs + 1] = at end
    count[at] = count[at] + 1
  end)
  table.sort(seqs)
  local above = 0
  for i = #seqs, 1, -1 do
    above = above + count[seqs[i]]
    if above > keep then
      local gone = {}
      inParts("HMGET", names, function(name, mark) if n(match(mark, "%S+")) <= seqs[i] then gone[#gone + 1] = name end end)
      inParts("HDEL", gone)
      floor = max(floor, seqs[i])
      return call("HSET", M, "f", s(floor), "c", #names - #gone)
    end
  end
end
function operations.w(rest, E, L, bytes)
  local kind, nonce, deadline, tags, records, rest = match(rest, "^${fields(5)}(.*)")
  local first = call("HGET", M, "n"..nonce)
  first = first and call("HGET", M, "l"..first)
  if first then return "", first end
  if late(deadline) then return "" end
  local version, expire, what = seq + 1, kind == "e" or kind == "x", "t\\n"..rest
  local fresh, refused
  if kind == "s" then fresh, refused = put(E, "="..nonce, version, rest, "", bytes) end
  if refused then return nil, refused end
  if not fresh then call("HDEL", M, "") end
  if kind == "t" or kind == "x" then
    local value, added, all = s(version)..(expire and " "..s(time) or ""), 0
    for tag in gmatch(rest, "([^\\n]*)\\n") do
      local new = call("HSET", M, (expire and "x" or "g")..tag, value)
      if sub(tag, 1, 1) == "@" then all = true else added = added + new end
    end
    marked = version
    call("HINCRBY", M, "c", added)
    call("HSET", M, "k", s(version))
    if all then wake("*") end
  else
    what = "k\\n"..sub(E, #M + 2).."\\n"
    finish(E, L)
    if kind == "e" then
      if call("EXISTS", E) == 1 then call("HSET", E, "x", s(math.min(n(call("HGET", E, "x") or time), time))) end
    elseif not fresh then remove(E) end
  end
  seq, tip = version, nonce
  local record = s(seq).."\\n"..nonce.."\\n"..s(time).."\\n"..(expire and "1" or "").."\\n"..what
  call("HSET", M, "s", s(seq), "t", tip, "l"..s(seq), record, "n"..nonce, s(seq))
  local oldest = n(call("HGET", M, "o"))
  for i = oldest, math.min(seq - records, oldest + 9) do
    local gone = call("HGET", M, "l"..s(i)) or ""
    call("HDEL", M, "l"..s(i), "n"..(match(gone, "^[^\\n]*\\n([^\\n]*)") or ""))
    call("HSET", M, "o", s(i + 1))
  end
  if seq % math.ceil(tags / 100) == 0 and n(call("HGET", M, "c")) > n(tags) then prune(n(tags)) end
  return "", record
end
`;

// Three replies for each operation: position and numbers, text, bytes. Of a client that reads all replies as text, bytes are
// sent as the UTF-8 of the characters with their numbers, after a sign that lets nobody take them for a number or for JSON.
const closing = `
local out, arg, key, size = {}, 2, 3, 0
while ARGV[arg] do
  local op, rest = match(ARGV[arg], "^(.)\\n(.*)")
  local E, L = KEYS[key], KEYS[key + 1]
  if op ~= "h" and op ~= "i" and not match(ARGV[arg], "^w\\n[tx]") then key = key + 2 end
  local line, text, bytes = operations[op](rest, E, L, ARGV[arg + 1])
  arg = arg + 2
  out[#out + 1] = line and epoch.."\\n"..s(seq).."\\n"..tip.."\\n"..s(time).."\\n"..found.."\\n"..line or "error"
  out[#out + 1] = text or false
  if bytes and mode == "text" then
    out[#out + 1] = "="..string.gsub(bytes, "[\\128-\\255]", function(byte)
      local code = string.byte(byte)
      return string.char(192 + math.floor(code / 64), 128 + code % 64)
    end)
  else out[#out + 1] = bytes or false end
  size = size + #(bytes or "")
  if size >= 4194304 then break end
end
return out
`;

export const script = [unpacking, opening, epochs, counting, entries, leases, operations, writing, closing].join("");

export const scriptHash = "6dedadbd29f7f81be3c3a787169939a0de900e9a";
