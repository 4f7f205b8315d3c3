-- Sends the bodies of a file, a line each, in turn; without a file, requests without a body.
local bodies, at = {}, 0

function init(arguments)
  if not arguments[1] then return end
  for line in io.lines(arguments[1]) do bodies[#bodies + 1] = line end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  if #bodies == 0 then return wrk.format() end
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
