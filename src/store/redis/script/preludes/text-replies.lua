-- In front of the script for clients that take all replies for text: a value is sent as "=" and the UTF-8 of the characters
-- with its bytes as their numbers.
local call = redis.call
local function packed(bytes)
  return bytes and "="..bytes:gsub("[\128-\255]", function(byte)
    local code = byte:byte()
    return string.char(192 + math.floor(code / 64), 128 + code % 64)
  end)
end
redis = {
  pcall = redis.pcall,
  call = function(...)
    local reply, name, key, field, second, third = call(...), ...
    if name == "HGET" and field == "b" then return packed(reply) end
    if name == "HMGET" and third == "b" then reply[3] = packed(reply[3]) end
    return reply
  end,
}
