/// Reads crontabs, crontab(5): the machine's, with a user in each line, and users' own.
enum Crontabs {
    private static let standardPath = "/usr/bin:/bin"

    static func read(_ files: borrowing RootedFiles) -> [ProgramOrigin] {
        var origins = table(files, "/etc/crontab", user: nil)
        for name in files.names("/etc/cron.d") where isPlain(name) {
            origins += table(files, "/etc/cron.d/" + name, user: nil)
        }
        for place in ["/var/spool/cron/crontabs", "/var/spool/cron"] {
            for name in files.names(place) where !files.isDirectory(place + "/" + name) {
                origins += table(files, place + "/" + name, user: name)
            }
        }
        for schedule in ["hourly", "daily", "weekly", "monthly"] {
            let place = "/etc/cron." + schedule
            for name in files.names(place) where isPlain(name) && files.isExecutable(place + "/" + name) {
                let path = place + "/" + name
                origins.append(
                    ProgramOrigin(
                        kind: .cronDirectory, file: path, name: path, schedule: schedule, user: "root", command: path,
                        programs: [path]))
            }
        }
        return origins
    }

    /// Debian's cron passes over other names, run-parts(8).
    private static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            let letter = UnicodeScalar(byte)
            return ("a"..."z").contains(letter) || ("A"..."Z").contains(letter) || ("0"..."9").contains(letter)
                || letter == "_" || letter == "-"
        }
    }

    /// - Parameter user: whose it is; nil: each line says it.
    private static func table(_ files: borrowing RootedFiles, _ path: String, user: String?) -> [ProgramOrigin] {
        var origins: [ProgramOrigin] = []
        var search = standardPath
        for (index, line) in (files.lines(path) ?? []).enumerated() {
            if let value = variable("PATH", line) { search = value }
            guard let entry = entry(line, hasUser: user == nil) else { continue }
            var found: [String] = []
            for name in CommandPrograms.of(entry.command, find: { $0 }) {
                if let program = lookUp(name, search, files), !found.contains(program) { found.append(program) }
            }
            origins.append(
                ProgramOrigin(
                    kind: .cron, file: path, line: index + 1, name: path, schedule: entry.schedule,
                    user: user ?? entry.user,
                    command: entry.command, programs: found))
        }
        return origins
    }

    private static func lookUp(_ name: String, _ search: String, _ files: borrowing RootedFiles) -> String? {
        if name.hasPrefix("/") { return name }
        for directory in search.split(separator: ":") where directory.hasPrefix("/") {
            let path = "\(directory)/\(name)"
            if files.isExecutable(path) { return path }
        }
        return nil
    }

    private static func variable(_ name: String, _ line: String) -> String? {
        let parts = line.split(separator: "=", maxSplits: 1).map { StraceArguments.trimmed($0) }
        guard parts.count == 2, parts[0] == name else { return nil }
        return String(parts[1].filter { $0 != "\"" && $0 != "'" })
    }

    /// nil: the line is a comment, a variable, or none of cron's.
    static func entry(_ line: String, hasUser: Bool) -> (schedule: String, user: String?, command: String)? {
        var rest = Substring(line)
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
        func word() -> String? {
            rest = rest.drop(while: isSpace)
            let word = rest.prefix { !isSpace($0) }
            rest = rest[word.endIndex...]
            return word.isEmpty ? nil : String(word)
        }
        guard let first = word(), !first.hasPrefix("#") else { return nil }
        var schedule = [first]
        if !first.hasPrefix("@") {
            for _ in 0..<4 {
                guard let field = word() else { return nil }
                schedule.append(field)
            }
            // A variable's line has no five fields of times.
            guard schedule.allSatisfy(isTime) else { return nil }
        }
        var user: String?
        if hasUser {
            guard let name = word() else { return nil }
            user = name
        }
        let command = beforePercent(rest.drop(while: isSpace))
        return command.isEmpty ? nil : (schedule.joined(separator: " "), user, command)
    }

    /// Digits, names, "*", and what joins them.
    private static func isTime(_ field: String) -> Bool {
        field.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLetter || "*,-/~".contains($0)) }
    }

    /// What follows a "%" is the command's input; "\%" is a percent sign.
    private static func beforePercent(_ text: Substring) -> String {
        var command = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                if character != "%" { command.append("\\") }
                command.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "%" {
                break
            } else {
                command.append(character)
            }
        }
        return isEscaped ? command + "\\" : command
    }
}
