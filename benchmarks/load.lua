-- Sends the bodies of a file, a line each, in turn, until so many requests are answered.
local bodies, at, left = {}, 0, 0

function init(arguments)
  left = tonumber(arguments[1])
  if arguments[2] then
    for line in io.lines(arguments[2]) do bodies[#bodies + 1] = line end
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
  end
end

function request()
  if #bodies == 0 then return wrk.format() end
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end

function response()
  left = left - 1
  if left <= 0 then wrk.thread:stop() end
end
