-- Of Redis 7.0, in its own Lua 5.1: the commands that the store's script uses, on keys in tables, under a clock that is given.

local format, floor, insert = string.format, math.floor, table.insert

-- Servers by number: data, the ends of keys, the places of the fields of hashes, the clock of the present call, whether memory is full, and names for INFO.
local servers, copies, scripts = {}, {}, {}
local db

-- Replies as scripts have them: false for none, tables with `ok` or `err`, lists.
local function failure(text) return {err = text} end
local WRONG_TYPE = failure("WRONGTYPE Operation against a key holding the wrong kind of value")
local NO_INTEGER = failure("ERR value is not an integer or out of range")

local function remove(key)
  db.data[key], db.ends[key], db.places[key] = nil, nil, nil
end
local function find(key)
  local ends = db.ends[key]
  if ends and db.now > ends then remove(key) end
  return db.data[key]
end
-- A hash for reading: an empty one if there is none, nothing if it is no hash.
local function hashAt(key)
  local found = find(key)
  if found == nil then return {} end
  return type(found) == "table" and found or nil
end
-- Sets a field; whether it is new. Small hashes keep the order in which their fields came.
local function put(key, hash, field, value)
  if not db.data[key] then db.data[key], db.places[key] = hash, {} end
  local isNew = not hash[field]
  if isNew then
    db.places[key][field] = db.place
    db.place = db.place + 1
  end
  hash[field] = value
  return isNew
end
local function fieldsOf(key, hash)
  local names, places = {}, db.places[key]
  for name in pairs(hash) do names[#names + 1] = name end
  table.sort(names, function(a, b) return places[a] < places[b] end)
  return names
end
local function integer(text)
  if not (string.find(text, "^-?[1-9]%d*$") or text == "0") or #text > 19 then return nil end
  return tonumber(text)
end
-- Whoever ends in the past is gone at once.
local function endAt(key, instant)
  if instant <= db.now then remove(key) else db.ends[key] = instant end
end

local commands = {}
function commands.get(key)
  local found = find(key)
  if type(found) == "table" then return WRONG_TYPE end
  return found or false
end
function commands.set(key, value, unit, span)
  local ends
  if unit then
    assert(string.upper(unit) == "PX", "SET is emulated with PX alone")
    span = integer(span)
    if not span then return NO_INTEGER end
    if span <= 0 then return failure("ERR invalid expire time in 'set' command") end
    ends = db.now + span
  end
  db.data[key], db.ends[key], db.places[key] = value, ends, nil
  return {ok = "OK"}
end
function commands.del(...)
  local count = 0
  for _, key in ipairs({...}) do
    if find(key) then count = count + 1 end
    remove(key)
  end
  return count
end
function commands.exists(...)
  local count = 0
  for _, key in ipairs({...}) do if find(key) then count = count + 1 end end
  return count
end
function commands.pttl(key)
  if not find(key) then return -2 end
  local ends = db.ends[key]
  return ends and math.max(0, ends - db.now) or -1
end
function commands.pexpire(key, span)
  span = integer(span)
  if not span then return NO_INTEGER end
  if not find(key) then return 0 end
  endAt(key, db.now + span)
  return 1
end
function commands.pexpireat(key, instant)
  instant = integer(instant)
  if not instant then return NO_INTEGER end
  if not find(key) then return 0 end
  endAt(key, instant)
  return 1
end
function commands.persist(key)
  local had = find(key) and db.ends[key]
  db.ends[key] = nil
  return had and 1 or 0
end
function commands.hget(key, field)
  local hash = hashAt(key)
  return not hash and WRONG_TYPE or hash and (hash[field] or false)
end
function commands.hmget(key, ...)
  local hash = hashAt(key)
  if not hash then return WRONG_TYPE end
  local found = {}
  for i = 1, select("#", ...) do found[i] = hash[select(i, ...)] or false end
  return found
end
function commands.hset(key, ...)
  assert(select("#", ...) % 2 == 0, "HSET is emulated with pairs alone")
  local hash, added = hashAt(key), 0
  if not hash then return WRONG_TYPE end
  for i = 1, select("#", ...), 2 do
    local field, value = select(i, ...)
    if put(key, hash, field, value) then added = added + 1 end
  end
  return added
end
function commands.hdel(key, ...)
  local hash, removed = hashAt(key), 0
  if not hash then return WRONG_TYPE end
  for _, field in ipairs({...}) do
    if hash[field] then
      removed = removed + 1
      hash[field], db.places[key][field] = nil, nil
    end
  end
  if next(hash) == nil then remove(key) end
  return removed
end
function commands.hkeys(key)
  local hash = hashAt(key)
  if not hash then return WRONG_TYPE end
  return fieldsOf(key, hash)
end
function commands.hgetall(key)
  local hash = hashAt(key)
  if not hash then return WRONG_TYPE end
  local all = {}
  for _, name in ipairs(fieldsOf(key, hash)) do
    all[#all + 1] = name
    all[#all + 1] = hash[name]
  end
  return all
end
function commands.hstrlen(key, field)
  local hash = hashAt(key)
  return not hash and WRONG_TYPE or #(hash[field] or "")
end
function commands.hincrby(key, field, by)
  by = integer(by)
  if not by then return NO_INTEGER end
  local hash = hashAt(key)
  if not hash then return WRONG_TYPE end
  local old = integer(hash[field] or "0")
  if not old then return failure("ERR hash value is not an integer") end
  put(key, hash, field, format("%.0f", old + by))
  return old + by
end
-- Nobody is counted: the script does not look at who heard it.
function commands.publish(channel, message)
  insert(db.published, channel)
  insert(db.published, message)
  return 0
end
function commands.info(section)
  if section == "server" then return "# Server\r\nredis_version:7.0.15\r\nrun_id:"..db.run.."\r\n" end
  assert(section == "replication", "INFO is emulated for server and replication alone")
  return "# Replication\r\nrole:master\r\nmaster_replid:"..db.replication.."\r\nmaster_replid2:0\r\n"
end
-- Not in scripts: what tests and the simulator look at.
function commands.keys()
  local found = {}
  for key in pairs(db.data) do found[#found + 1] = key end
  table.sort(found)
  for i = #found, 1, -1 do if not find(found[i]) then table.remove(found, i) end end
  return found
end
function commands.flushall()
  db.data, db.ends, db.places = {}, {}, {}
  return {ok = "OK"}
end
function commands.type(key)
  local found = find(key)
  return {ok = found == nil and "none" or type(found) == "table" and "hash" or "string"}
end

local writes = {set = 1, del = 1, pexpire = 1, pexpireat = 1, persist = 1, hset = 1, hdel = 1, hincrby = 1}
local grows = {set = 1, hset = 1, hincrby = 1}
-- Memory is looked at before the first write of a script, and then never again.
local function execute(name, ...)
  name = string.lower(name)
  local command = commands[name]
  assert(command, "not emulated: "..name)
  if grows[name] and db.full and not db.dirty then
    return failure("OOM command not allowed when used memory > 'maxmemory'.")
  end
  if writes[name] then db.dirty = true end
  return command(...)
end

local function arguments(...)
  local texts = {...}
  for i = 1, select("#", ...) do
    if type(texts[i]) == "number" then texts[i] = format("%.17g", texts[i])
    elseif type(texts[i]) ~= "string" then error(failure("ERR Lua redis lib command arguments must be strings or integers"), 0) end
  end
  return unpack(texts, 1, select("#", ...))
end
local redis = {error_reply = failure, status_reply = function(text) return {ok = text} end}
function redis.pcall(...) return execute(arguments(...)) end
function redis.call(...)
  local reply = execute(arguments(...))
  if type(reply) == "table" and reply.err then error(reply, 0) end
  return reply
end

-- What a script sees. It may neither add to that, nor ask for what is not there.
local given = {redis = redis, string = string, table = table, math = math}
for _, name in ipairs({"assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawset",
  "select", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall"}) do given[name] = _G[name] end
local scope = setmetatable({}, {
  __index = function(_, name)
    if given[name] == nil then error("Script attempted to access nonexistent global variable '"..name.."'", 2) end
    return given[name]
  end,
  __newindex = function() error("Attempt to modify a readonly table", 2) end,
})

-- A reply in RESP2.
local function encode(reply, out)
  local kind = type(reply)
  if kind == "string" then out[#out + 1] = "$"..#reply.."\r\n"..reply.."\r\n"
  elseif kind == "number" then out[#out + 1] = ":"..format("%.0f", reply < 0 and math.ceil(reply) or floor(reply)).."\r\n"
  elseif kind == "table" and reply.err then out[#out + 1] = "-"..reply.err.."\r\n"
  elseif kind == "table" and reply.ok then out[#out + 1] = "+"..reply.ok.."\r\n"
  elseif kind == "table" then
    local head = #out + 1
    out[head] = "*0\r\n"
    -- It ends at the first nil.
    for i, part in ipairs(reply) do
      out[head] = "*"..i.."\r\n"
      encode(part, out)
    end
  else out[#out + 1] = reply == true and ":1\r\n" or "$-1\r\n" end
  return out
end

local function copyOf(data)
  local copy = {}
  for key, value in pairs(data) do copy[key] = type(value) == "table" and copyOf(value) or value end
  return copy
end

-- What the simulator asks for: each gives a reply.
local requests = {}
function requests.compile(number, text)
  local compiled, why = loadstring(text, "@user_script")
  if not compiled then return failure("ERR Error compiling script (new function): "..why) end
  scripts[number] = setfenv(compiled, scope)
  return {ok = "OK"}
end
function requests.begin(server, run, replication)
  servers[server] = {data = {}, ends = {}, places = {}, place = 0, run = run, replication = replication, now = 0}
  return {ok = "OK"}
end
function requests.rename(server, run, replication)
  servers[server].run, servers[server].replication = run, replication
  return {ok = "OK"}
end
function requests.close(server)
  servers[server], copies[server] = nil, nil
  return {ok = "OK"}
end
function requests.full(server, is)
  servers[server].full = is == "1"
  return {ok = "OK"}
end
function requests.save(server, number)
  copies[server] = copies[server] or {}
  local from, copy = servers[server], {}
  for _, part in ipairs({"data", "ends", "places"}) do copy[part] = copyOf(from[part]) end
  copies[server][number] = copy
  return {ok = "OK"}
end
function requests.restore(server, number)
  for part, held in pairs(copies[server][number]) do servers[server][part] = copyOf(held) end
  return {ok = "OK"}
end
local function enter(server, now)
  db = servers[server]
  db.now, db.dirty, db.published = tonumber(now), false, {}
end
function requests.command(server, now, ...)
  enter(server, now)
  return {execute(...), db.published}
end
-- Takes server, clock, script, number of keys, keys and arguments as one list: they may be too many to unpack.
local function run(fields)
  enter(fields[2], fields[3])
  local count, keys, args = tonumber(fields[5]), {}, {}
  for i = 6, #fields do
    if i <= 5 + count then keys[i - 5] = fields[i] else args[i - 5 - count] = fields[i] end
  end
  given.KEYS, given.ARGV = keys, args
  local done, reply = pcall(scripts[fields[4]])
  if not done and type(reply) ~= "table" then reply = failure("ERR "..tostring(reply)) end
  if reply == nil then reply = false end
  return {reply, db.published}
end

-- A request comes as a string without zero bytes: fields, each with its length in front.
local plain = {["\1"] = "\0", ["\2"] = "\1"}
return function(message)
  if string.find(message, "\1", 1, true) then message = string.gsub(message, "\1([\1\2])", plain) end
  local fields, at = {}, 1
  while at <= #message do
    local colon = string.find(message, ":", at, true)
    local size = tonumber(string.sub(message, at, colon - 1))
    fields[#fields + 1] = string.sub(message, colon + 1, colon + size)
    at = colon + size + 1
  end
  local reply
  if fields[1] == "run" then reply = run(fields) else reply = requests[fields[1]](unpack(fields, 2)) end
  return table.concat(encode(reply, {}))
end
