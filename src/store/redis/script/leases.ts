// The record of a lease, or of a back-off.
import { fields } from "./text.ts";

// A lease's record outlives its deadline by ten minutes, in which a late commit is accepted if nobody took over.
export const leases = `
local function leaseOf(L)
  local token, born, version, at, span, scopes = match(call("GET", L) or "", "^${fields(5)}(.*)")
  if born == epoch then return token, n(version), n(at), n(span), scopes end
end
local function forget(token, at, span) if token then tally("l", at, span + 600000, -1) end end
local function sound(version, scopes)
  for scope in gmatch(scopes, "([^\\n]*)\\n") do
    if n(call("HGET", M, "g"..scope) or 0) > version then return false end
  end
  return true
end
local function grant(L, token, version, span, scopes)
  local old, _, at, spanned = leaseOf(L)
  local record = token.."\\n"..epoch.."\\n"..s(INT, version).."\\n"..time.."\\n"..s(INT, span).."\\n"..scopes
  local done = pcall("SET", L, record, "PX", s(INT, span + 600000))
  if done.err then return done.err end
  forget(old, at, spanned)
  tally("l", time, span + 600000, 1)
end
local function finish(E, L)
  local token, _, at, span = leaseOf(L)
  if call("DEL", L) == 1 then wake("="..sub(E, #M + 2)) end
  forget(token, at, span)
end
`;
