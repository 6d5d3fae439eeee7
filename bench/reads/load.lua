-- Load for wrk: args are a file of "method TAB path TAB body" lines, the mean pause in
-- milliseconds before each request of a connection (0: none), a session token or "", and whether
-- connections are closed. Prints one line of JSON.

local counter = 0
function setup(thread)
    thread:set("number", counter)
    counter = counter + 1
end

function init(args)
    pause, token, close = tonumber(args[2]), args[3], args[4] == "close"
    -- With a delay, even of none, wrk goes through a timer for each request.
    if pause <= 0 then delay = nil end
    requests = {}
    for line in io.lines(args[1]) do
        local method, path, body = line:match("^(%S+)\t(%S+)\t(.*)$")
        local headers = {}
        if close then headers["Connection"] = "close" end
        if method ~= "GET" then
            headers["Content-Type"] = "application/json"
            if token ~= "" then headers["X-Session-Token"] = token end
        end
        requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
    end
    math.randomseed(number + 1)
    at = math.random(#requests)
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function delay()
    return math.floor(-pause * math.log(1 - math.random()) + 0.5)
end

function done(summary, latency, rates)
    local errors = summary.errors
    print(string.format(
        'JSON {"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "max_ms": %f, ' ..
        '"failed": %d}',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
        latency:percentile(99) / 1000, latency.max / 1000,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
