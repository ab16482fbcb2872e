/// `-e NAME[=VALUE]` and `--env-file FILE`: the environment that a program gets besides what its sandbox sets.
///
/// A name alone passes our own variable on, and nothing when we have none, as Docker does. Files come before
/// `-e`, and what comes later replaces what came before.
enum EnvironmentFlags {
    /// The variables as "NAME=value", each name once, in the order in which names first appeared.
    static func variables(
        files: [(path: String, text: String)], flags: [String], own: (String) -> String?
    ) throws(FlagError) -> [String] {
        var names: [String] = []
        var values: [String: String] = [:]
        func set(_ pair: (name: String, value: String?)) {
            guard let value = pair.value ?? own(pair.name) else { return }
            if values.updateValue(value, forKey: pair.name) == nil { names.append(pair.name) }
        }
        for file in files {
            // By scalars: "\r\n" is one Character.
            let lines = file.text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            for (number, line) in lines.enumerated() {
                let line = trimmed(line)
                if line.isEmpty || line.hasPrefix("#") { continue }
                set(try pair(line, flag: "--env-file \(file.path), line \(number + 1):"))
            }
        }
        for flag in flags { set(try pair(flag, flag: "-e")) }
        return names.map { "\($0)=\(values[$0]!)" }
    }

    private static func pair(_ text: String, flag: String) throws(FlagError) -> (name: String, value: String?) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !parts[0].isEmpty else {
            throw FlagError(flag, text, "the name is empty", advice: "Write NAME=value, or NAME to pass your own on.")
        }
        guard !parts[0].contains(where: \.isWhitespace) else {
            throw FlagError(flag, text, "the name \"\(parts[0])\" has a space in it")
        }
        guard !text.utf8.contains(0) else { throw FlagError(flag, parts[0], "a zero byte cannot be in an environment") }
        return (parts[0], parts.count == 2 ? parts[1] : nil)
    }

    /// Without leading blanks, and without the carriage return of a file from elsewhere; blanks at the end are value.
    static func trimmed(_ line: Substring.UnicodeScalarView) -> String {
        var line = line.drop { $0 == " " || $0 == "\t" }
        if line.last == "\r" { line.removeLast() }
        return String(Substring(line))
    }
}

/// `--label NAME[=VALUE]`.
enum LabelFlags {
    /// The labels; a name without a value has an empty one, and the last of a name counts.
    static func labels(_ flags: [String]) throws(FlagError) -> [String: String] {
        var labels: [String: String] = [:]
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !parts[0].isEmpty else {
                throw FlagError("--label", flag, "the name is empty", advice: "Write NAME=value.")
            }
            labels[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        return labels
    }

    /// Those of a `--label-file`: one a line, as in an environment file.
    static func labels(file text: String, path: String) throws(FlagError) -> [String: String] {
        var lines: [String] = []
        for (number, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = EnvironmentFlags.trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard !line.hasPrefix("=") else {
                throw FlagError("--label-file \(path), line \(number + 1):", line, "the name is empty")
            }
            lines.append(line)
        }
        return try labels(lines)
    }
}
