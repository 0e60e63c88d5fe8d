-- The operations but writing, each a function of its name's letter.
local function late(deadline) return deadline ~= "" and time > n(deadline) end
local run = {}
function run.r(E, L, held, refresh, wish)
  local token, span, scopes = match(wish, "^(.-)\n(.-)\n(.*)")
  local fresh, head, bytes = find(E, held)
  local result = (fresh and int(fresh) or "").."\n"
  if token == "" or serves(fresh, head, refresh) then return result, head, bytes end
  local owner, version, at, spanned, theirs = leaseOf(L)
  if owner == token then return result..int(version), head, bytes end
  if owner and sound(version, theirs) and (owner ~= "" or fresh) then
    if at > time then grant(L, owner, version, spanned, theirs) end
    local wait = spanned - since(at)
    if wait > 0 then return result.."\n"..int(wait).."\n"..owner, head, bytes end
  end
  local refused = grant(L, token, seq, min(n(span), 600000), scopes)
  if refused then return nil, refused end
  return result..int(seq), head, bytes
end
function run.c(E, L, token, born, version, deadline, keep, ...)
  local owner, granted = leaseOf(L)
  if owner ~= token then return "" end
  local fresh, refused
  if granted == n(version) and born == epoch and not late(deadline) then
    fresh, refused = put(E, token, granted, keep, ...)
  end
  finish(E, L)
  if refused then return nil, refused end
  return fresh and int(fresh) or ""
end
function run.n(E, L, token, span)
  local owner, version, _, _, scopes = leaseOf(L)
  if owner ~= token or not sound(version, scopes) then return "" end
  local refused = grant(L, token, version, min(n(span), 600000), scopes)
  return not refused and "1", refused
end
function run.l(E, L, token, span)
  local owner, version, _, _, scopes = leaseOf(L)
  if owner == token then
    finish(E, L)
    if n(span) > 0 then grant(L, "", version, n(span), scopes) end
  end
  return ""
end
function run.h(_, _, born, from)
  local first = max(1, n(from))
  if born ~= epoch or n(call("HGET", M, "o")) > first then return "" end
  local size, records = 0, {}
  for i = first, seq do
    local record = call("HGET", M, "l"..int(i))
    size = size + #(record or "")
    if not record or size > 1048576 then return "" end
    if i > n(from) then records[#records + 1] = record end
  end
  return "1", table.concat(records, "\r")
end
function run.i()
  local sum, log = totals(), call("HMGET", M, "c", "o")
  return table.concat({sum.e, sum.b, sum.l, log[1], seq + 1 - log[2]}, "\n")
end
