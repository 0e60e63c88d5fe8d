-- Whether the epoch goes on: partitions, incarnation, witness; and how a new one begins.
--
-- The number of partitions is looked at before anything is done. The incarnation of the server is compared with the one that
-- the epoch began in; INFO is slow, so only when they differ.
local channel, candidate, role = match(ARGV[3], "^(.-)\n(.-)\n(.*)\n")
local function wake(what) if channel ~= "" then try("PUBLISH", channel, what) end end
local parts, sent = match(ARGV[1], "^(%d+)\n(.*)")
local recorded, server = match(setting or "", "^(%d+)\n(.*)")
local seq, tip = match(lost and "" or position, "\n(%d+)\n(.*)")
seq = n(seq or "")
lost = lost or not seq
if lost or parts ~= recorded then
  if role == "" then return {"ask"} end
  if not lost and role == "first" then return {"moved\n"..recorded} end
  lost = true
end
if sent ~= "" and (lost or sent ~= server) then
  for section, name in gmatch("server run_id replication master_replid", "(%S+) (%S+)") do
    local info = try("INFO", section)
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
  if at < seq then here = match(call("HGET", M, "l"..int(at)) or "", "^.-\n(.-)\n") end
  return here and here ~= nonce
end
local seen = match(ARGV[2], "^[^\n]*")
lost = lost or seen ~= "" and contradicts(match(ARGV[2], "^(.-)\n(.-)\n(.*)")) or ARGV[4] == "h" and contradicts(ARGV[5], ARGV[6], ARGV[7])
local function move(at, nonce)
  seq, tip, position = at, nonce, epoch.."\n"..int(at).."\n"..nonce
end
if lost then
  if known == "" then known = try("HGET", M, "e") end
  known = sub(candidate.." "..seen.." "..(type(known) == "string" and known or ""), 1, 500)
  epoch = candidate
  move(0, "")
  call("DEL", M, N)
  call("HSET", M, "w", position, "e", known, "f", 0, "k", 0, "c", 0, "o", 1, "q", parts.."\n"..(found ~= "" and found or server or ""))
  call("PEXPIREAT", M, END)
  marked, left = 0, call("PTTL", M)
  time = END - left
  wake("*")
end
