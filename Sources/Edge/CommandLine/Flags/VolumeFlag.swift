/// `-v SOURCE:TARGET[:OPTIONS]` and `--mount type=bind|tmpfs,...` as Docker writes them.
///
/// A source that starts with "." is relative to the working directory, as with Docker. A bare name is a named
/// volume there; Forkless has none yet and says so instead of making a directory of that name.
struct BindFlag: Hashable {
    /// Absolute.
    var source: String
    /// Absolute, inside the sandbox.
    var target: String
    var isReadOnly = false

    /// Reads the value of `-v`.
    static func parse(volume text: String, workingDirectory: String) throws(FlagError) -> BindFlag {
        let flag = "-v"
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else {
            throw FlagError(
                flag, text, "an anonymous volume, which Forkless does not have",
                advice: "Name what is to be seen there: -v SOURCE:TARGET[:ro|rw].")
        }
        guard parts.count <= 3 else {
            throw FlagError(flag, text, "more than three parts", advice: "Write SOURCE:TARGET[:ro|rw].")
        }
        var bind = BindFlag(
            source: try absoluteSource(parts[0], flag, text, workingDirectory), target: try target(parts[1], flag, text))
        if parts.count == 3 { bind.isReadOnly = try readOnly(options: parts[2], flag, text) }
        return bind
    }

    static func absoluteSource(
        _ source: String, _ flag: String, _ text: String, _ workingDirectory: String
    ) throws(FlagError) -> String {
        if source.hasPrefix("/") { return source }
        guard source == "." || source == ".." || source.hasPrefix("./") || source.hasPrefix("../") else {
            throw FlagError(
                flag, text,
                source.isEmpty ? "the source is empty" : "\"\(source)\" is a named volume, which Forkless does not have yet",
                advice: "Give a path: /absolute/path, or ./\(source.isEmpty ? "path" : source) below the working directory.")
        }
        return workingDirectory == "/" ? "/" + source : workingDirectory + "/" + source
    }

    static func target(_ target: String, _ flag: String, _ text: String) throws(FlagError) -> String {
        guard target.hasPrefix("/") else {
            throw FlagError(
                flag, text, target.isEmpty ? "the target is empty" : "the target \"\(target)\" is not absolute",
                advice: "The place inside the sandbox starts with a slash.")
        }
        guard target.contains(where: { $0 != "/" }) else {
            throw FlagError(
                flag, text, "the target is the root itself", advice: "Use --root DIR to run in another root directory.")
        }
        return target
    }

    private static func readOnly(options: String, _ flag: String, _ text: String) throws(FlagError) -> Bool {
        switch options {
        case "ro": return true
        case "rw": return false
        default:
            throw FlagError(flag, text, "unknown option \"\(options)\"", advice: "The options are ro and rw.")
        }
    }
}

/// A file system in memory: `--tmpfs TARGET[:size=64m]`.
struct TmpfsFlag: Hashable {
    var target: String
    /// Its limit in bytes; nil leaves the engine's default.
    var sizeBytes: Int?

    /// Reads the value of `--tmpfs`.
    static func parse(_ text: String) throws(FlagError) -> TmpfsFlag {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var tmpfs = TmpfsFlag(target: try BindFlag.target(parts[0], "--tmpfs", text))
        for option in (parts.count == 2 ? parts[1] : "").split(separator: ",").map(String.init) {
            let pair = option.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2, pair[0] == "size" else {
                throw FlagError(
                    "--tmpfs", text, "unknown option \"\(option)\"", advice: "The option there is: size=64m.")
            }
            tmpfs.sizeBytes = try size(pair[1], "--tmpfs", text)
        }
        return tmpfs
    }

    /// A limit that leaves room for something: 0 would be none at all to tmpfs(5).
    static func size(_ amount: String, _ flag: String, _ text: String) throws(FlagError) -> Int {
        let bytes = try ByteAmount.parse(amount, flag: "\(flag) \(text), size")
        guard bytes > 0 else { throw FlagError(flag, text, "a size of 0 would be no limit", advice: "Leave size out.") }
        return bytes
    }
}
