-- The record of a lease, or of a back-off.
--
-- A lease's record outlives its deadline by ten minutes, in which a late commit is accepted if nobody took over.
local function leaseOf(L)
  local token, born, version, at, span, scopes = match(call("GET", L) or "", "^(.-)\n(.-)\n(.-)\n(.-)\n(.-)\n(.*)")
  if born == epoch then return token, n(version), n(at), n(span), scopes end
end
local function count(token, at, span, by) if token then tally("l", at, span + 600000, by) end end
local function sound(version, scopes)
  for scope in gmatch(scopes, "(.-)\n") do
    if n(call("HGET", M, "g"..scope) or 0) > version then return false end
  end
  return true
end
local function grant(L, token, version, span, scopes)
  local old, _, at, spanned = leaseOf(L)
  local record = token.."\n"..epoch.."\n"..int(version).."\n"..time.."\n"..int(span).."\n"..scopes
  local done = try("SET", L, record, "PX", int(span + 600000))
  if done.err then return done.err end
  count(old, at, spanned, -1)
  count(token, time, span, 1)
end
local function finish(E, L)
  local token, _, at, span = leaseOf(L)
  if call("DEL", L) == 1 then wake("="..sub(E, #M + 2)) end
  count(token, at, span, -1)
end
