-- Does the operations in their order, and gives the replies: of each position (and incarnation), what is left of the metadata's
-- time, result, and text and bytes if there are some.
local out, arg, key, size = {}, 4, 3, 0
local args = {r = 3, c = 9, n = 2, l = 2, w = 9, h = 3, i = 0}
while ARGV[arg] and size < 4194304 do
  local last = arg + args[ARGV[arg]]
  local result, head, bytes = run[ARGV[arg]](KEYS[key], KEYS[key + 1], unpack(ARGV, arg + 1, last))
  arg, key, size = last + 1, key + 2, size + #(bytes or "")
  out[#out + 1] = result and answer(result, head, bytes) or {"error", 0, head}
end
return out
