/// `--ulimit NAME=SOFT[:HARD]` as Docker writes it; one number sets both, -1 and "unlimited" lift the limit.
struct UlimitFlag: Hashable {
    /// Without RLIMIT_, in lower case: "nofile".
    var name: String
    /// nil: unlimited.
    var soft: UInt64?
    var hard: UInt64?

    /// The names of getrlimit(2).
    static let names = [
        "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
        "rtprio", "rttime", "sigpending", "stack",
    ]

    static func parse(_ text: String) throws(FlagError) -> UlimitFlag {
        let flag = "--ulimit"
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw FlagError(flag, text, "no value", advice: "Write NAME=SOFT[:HARD], for example nofile=1024:4096.")
        }
        guard names.contains(parts[0]) else {
            throw FlagError(
                flag, text, "unknown limit \"\(parts[0])\"", advice: "The limits are \(names.joined(separator: ", ")).")
        }
        let values = parts[1].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard values.count <= 2 else { throw FlagError(flag, text, "more than two values") }
        let soft = try value(values[0], flag, text)
        let hard = values.count == 2 ? try value(values[1], flag, text) : soft
        guard soft ?? .max <= hard ?? .max else {
            throw FlagError(flag, text, "the soft limit is above the hard limit", advice: "Write SOFT:HARD.")
        }
        return UlimitFlag(name: parts[0], soft: soft, hard: hard)
    }

    private static func value(_ digits: String, _ flag: String, _ text: String) throws(FlagError) -> UInt64? {
        if digits == "-1" || digits == "unlimited" { return nil }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt64(digits) else {
            throw FlagError(flag, text, "\"\(digits)\" is not a number", advice: "Write a number, or unlimited.")
        }
        return number
    }
}
