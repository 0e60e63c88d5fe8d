-- In front of the script where commands travel over HTTP. An argument that begins with the character 1 was rewritten on its way,
-- and no other one begins so. If the first one is `#17`, the last one has so many bytes, or was changed.
if ARGV[1]:byte() == 35 and table.remove(ARGV, 1):sub(2) - #ARGV[#ARGV] ~= 0 then
  return {err = "ERR the value was changed on its way"}
end
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
