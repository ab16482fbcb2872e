/// `-v SOURCE:TARGET[:OPTIONS]`, `-v NAME:TARGET[:OPTIONS]` and `-v TARGET`, as Docker has them.
///
/// A source that starts with "." is relative to the working directory; a bare name is a volume of the node's; a target
/// alone gets a volume of its own for this container.
struct VolumeFlag: Hashable {
    /// nil: one of its own.
    var name: String?
    /// Absolute, inside the sandbox.
    var target: String
    var isReadOnly = false

    /// Reads the value of `-v`.
    static func parse(_ text: String, workingDirectory: String) throws(FlagError) -> MountFlag {
        let flag = "-v"
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3 else {
            throw FlagError(flag, text, "more than three parts", advice: "Write SOURCE:TARGET[:ro|rw].")
        }
        if parts.count == 1 { return .volume(VolumeFlag(target: try BindFlag.target(parts[0], flag, text))) }
        let isReadOnly = parts.count == 3 ? try BindFlag.readOnly(options: parts[2], flag, text) : false
        let target = try BindFlag.target(parts[1], flag, text)
        if isName(parts[0]) { return .volume(VolumeFlag(name: parts[0], target: target, isReadOnly: isReadOnly)) }
        let source = try BindFlag.absoluteSource(parts[0], flag, text, workingDirectory)
        return .bind(BindFlag(source: source, target: target, isReadOnly: isReadOnly))
    }

    /// Docker's rule for names of volumes: letters, digits, "_", "." and "-", a letter or digit first.
    static func isName(_ text: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = text.utf8.first, isLetterOrDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || "_.-".utf8.contains($0) }
    }
}

/// A file or directory of this machine, seen at a path inside.
struct BindFlag: Hashable {
    /// Absolute.
    var source: String
    /// Absolute, inside the sandbox.
    var target: String
    var isReadOnly = false

    static func absoluteSource(
        _ source: String, _ flag: String, _ text: String, _ workingDirectory: String
    ) throws(FlagError) -> String {
        if source.hasPrefix("/") { return source }
        guard source == "." || source == ".." || source.hasPrefix("./") || source.hasPrefix("../") else {
            throw FlagError(
                flag, text,
                source.isEmpty ? "the source is empty" : "\"\(source)\" is neither a path nor the name of a volume",
                advice: "Give a path, /absolute/path or ./path, or a name of letters, digits, \"_\", \".\" and \"-\".")
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

    static func readOnly(options: String, _ flag: String, _ text: String) throws(FlagError) -> Bool {
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
