-- With a file of keys: each call shows the next one. The requests are put together before the first.
local requests, at = {}, 0

function init(args)
  if args[1] and args[1] ~= "" then
    for key in io.lines(args[1]) do
      wrk.headers["X-API-Key"] = key
      requests[#requests + 1] = wrk.format()
    end
    -- wrk asks for it before each call, and once to see whether there is one.
    request = function()
      at = at % #requests + 1
      return requests[at]
    end
  end
end

-- Prints a run's result as one line of JSON. The status check lives in wrk: it counts 400 and above as errors;
-- redirects cannot hide, because the upstream must have seen every call.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
