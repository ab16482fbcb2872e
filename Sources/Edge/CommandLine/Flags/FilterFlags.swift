import Linux

/// `--filter KEY=VALUE`, as it is sent to the node, which knows the keys: only spans of time mean something different
/// there, so they are made times here.
enum FilterFlags {
    static func resolved(_ filters: [String], now: Timestamp) throws(FlagError) -> [String] {
        var resolved: [String] = []
        for filter in filters {
            if filter.hasPrefix("until=") {
                let time = try TimeFlag.parse(String(filter.dropFirst("until=".count)), flag: "--filter until", now: now)
                resolved.append("until=\(time)")
            } else {
                resolved.append(filter)
            }
        }
        return resolved
    }
}
