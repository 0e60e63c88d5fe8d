-- In front of the script where commands travel over HTTP. If the first argument is a mark, it was put there on the way, and no
-- line feed is in it: `~2,5`: these of the arguments after it are values that `toPlain` rewrote; `#17`: `toPath` made two
-- arguments of all, and the second one is a value of so many bytes.
local mark, about = ARGV[1]:match("^([#~])([%d,]*)$")
if mark then
  local parts, byte = {}, {}
  if mark == "#" then
    if tonumber(about) ~= #ARGV[3] then return redis.error_reply("ERR the value did not arrive as it was sent") end
    for part in ARGV[2]:gmatch("(.-)\r") do parts[#parts + 1] = part:gsub("\f", "/").."" end
    parts[#parts + 1] = ARGV[3]
  else
    for i = 2, #ARGV do parts[i - 1] = ARGV[i] end
    for i = 0, 255 do byte[string.char(196 + math.floor(i / 64), 128 + i % 64)] = string.char(i) end
    for at in about:gmatch("%d+") do
      parts[tonumber(at)] = parts[tonumber(at)]:gsub("[\196-\199][\128-\191]", byte)..""
    end
  end
  ARGV = parts
end
