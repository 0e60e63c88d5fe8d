-- In front of the script where commands travel over HTTP. If the first argument is `#17`, `toPath` made two arguments of all but
-- the value that follows them, which has so many bytes. Else each that begins with the character 1 is a value that `toPlain`
-- rewrote. No other argument begins so.
local size, value = ARGV[1]:match("^#(%d+)$"), ARGV[3]
if size then
  if size - #value ~= 0 then return {err = "ERR the value was changed on its way"} end
  local at = 0
  for part in ARGV[2]:gmatch("(.-)\r") do
    at = at + 1
    ARGV[at] = part:gsub("\f", "/")..""
  end
  ARGV[at + 1] = value
else
  local bytes
  for at, part in ipairs(ARGV) do
    if part:byte() == 1 then
      if not bytes then
        bytes = {}
        for code = 0, 255 do bytes[string.char(196 + math.floor(code / 64), 128 + code % 64)] = string.char(code) end
      end
      ARGV[at] = part:sub(2):gsub("[\196-\199][\128-\191]", bytes)..""
    end
  end
end
