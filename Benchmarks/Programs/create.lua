-- Creates ConfigMaps with names of their own: wrk -s create.lua URL -- TOKEN
local number = 0
local thread = 0

function setup(t)
    t:set("id", thread)
    thread = thread + 1
end

function init(arguments)
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Authorization"] = "Bearer " .. arguments[1]
    filler = string.rep("x", 300)
    stamp = os.time()
end

function request()
    number = number + 1
    local name = "c-" .. stamp .. "-" .. id .. "-" .. number
    return wrk.format(nil, nil, nil,
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' .. name .. '"},"data":{"a":"' .. filler .. '"}}')
end
