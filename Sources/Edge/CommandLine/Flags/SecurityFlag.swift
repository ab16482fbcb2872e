/// `--security-opt`: `seccomp=unconfined` and `no-new-privileges[=true|false]`, with "=" or ":" as Docker takes both.
enum SecurityFlag: Hashable {
    case withoutSystemCallFilter
    case noNewPrivileges(Bool)

    static func parse(_ text: String) throws(FlagError) -> SecurityFlag {
        let flag = "--security-opt"
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "=" || $0 == ":" }
        let value = parts.count == 2 ? String(parts[1]) : nil
        switch (parts[0], value) {
        case ("seccomp", "unconfined"): return .withoutSystemCallFilter
        case ("seccomp", _):
            throw FlagError(
                flag, text, "a profile of your own is not supported",
                advice: "Leave it out for Forkless' allow-list, or write seccomp=unconfined for none.")
        case ("no-new-privileges", nil), ("no-new-privileges", "true"): return .noNewPrivileges(true)
        case ("no-new-privileges", "false"): return .noNewPrivileges(false)
        default:
            throw FlagError(
                flag, text, "unknown option",
                advice: "The options are seccomp=unconfined and no-new-privileges=true|false.")
        }
    }
}
