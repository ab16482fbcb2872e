-- wrk: one event of 78 bytes for each request; HEADER=VALUE words on the command line are sent, too.
wrk.method = "POST"
wrk.body = '{"account":"DE89370400440532013000","amount":"1250.00","currency":"EUR","n":7}'
wrk.headers["Content-Type"] = "application/json"

function init(words)
    for _, word in ipairs(words) do
        local name, value = word:match("^([^=]+)=(.*)$")
        if name then wrk.headers[name] = value end
    end
end
