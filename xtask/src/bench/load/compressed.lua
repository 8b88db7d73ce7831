local count
local next_file = 0

wrk.headers["Accept-Encoding"] = "gzip"

function init(arguments)
  count = tonumber(arguments[1])
end

function request()
  local path = string.format("/%d.txt", next_file % count)
  next_file = next_file + 1
  if next_file == count then
    -- Once round. The report still gives the whole time.
    wrk.thread:stop()
  end
  return wrk.format("GET", path)
end
