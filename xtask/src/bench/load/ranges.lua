local size, length

function init(arguments)
  size, length = tonumber(arguments[1]), tonumber(arguments[2])
end

-- The generator starts with the same state in each run: all servers are asked for the same.
function request()
  local first = math.random(0, size - length)
  wrk.headers["Range"] = string.format("bytes=%.0f-%.0f", first, first + length - 1)
  return wrk.format()
end
