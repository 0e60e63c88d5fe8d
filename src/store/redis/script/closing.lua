-- Does the operations in their order, and gives the replies: five for each operation, which are the position (and the
-- incarnation), the time that is left of the metadata, result, text and bytes.
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
