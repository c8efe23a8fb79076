-- For wrk: posts the JSON bodies of a file, one a line, in turn; the file's name stands after wrk's `--`.
local requests = {}
local at = 0

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", "/", headers, line)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
