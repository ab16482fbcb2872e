-- So many requests a second, over all connections: wrk -s paced.lua URL -- MILLISECONDS-BETWEEN-TWO-OF-A-CONNECTION
function init(arguments) pause = tonumber(arguments[1]) end

function delay() return pause end
