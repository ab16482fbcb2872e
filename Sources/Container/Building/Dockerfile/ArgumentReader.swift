/// Reads what follows the name of one instruction.
struct ArgumentReader {
    let instruction: String
    let arguments: [UInt8]
    let line: LogicalLine
    let escape: UInt8

    func error(_ reason: String) -> DockerfileError { DockerfileError(line: line.number, reason) }

    /// One text; spaces in it are part of it.
    func text() throws(DockerfileError) -> String {
        try refuseFlags()
        return try some().text
    }

    func words() throws(DockerfileError) -> [String] {
        try refuseFlags()
        return RawWords.split(try some(), escape: escape).map(\.text)
    }

    func volumes() throws(DockerfileError) -> [String] {
        try refuseFlags()
        try refuseOtherArray(try some())
        let volumes = JSONForm.strings(arguments) ?? RawWords.split(arguments, escape: escape).map(\.text)
        guard !volumes.isEmpty, !volumes.contains(where: { $0.utf8.allSatisfy(\.isDockerSpace) }) else {
            throw error("VOLUME needs paths")
        }
        return volumes
    }

    func command() throws(DockerfileError) -> CommandForm {
        try refuseFlags()
        return try form(try some())
    }

    func shell() throws(DockerfileError) -> [String] {
        try refuseFlags()
        guard let words = JSONForm.strings(arguments), !words.isEmpty else {
            throw error("SHELL needs a JSON array: [\"/bin/sh\", \"-c\"]")
        }
        return words
    }

    /// `NAME=VALUE ...`, or the old form `NAME VALUE` with the rest of the line as the value.
    func namedValues() throws(DockerfileError) -> [NamedValue] {
        try refuseFlags()
        let words = RawWords.split(try some(), escape: escape)
        guard words[0].contains(UInt8(ascii: "=")) else {
            let value = arguments.dropFirst(words[0].count).trimmed
            guard !value.isEmpty else { throw error("\(instruction) \(words[0].text) has no value: write NAME=VALUE") }
            return [NamedValue(name: words[0].text, value: value.text)]
        }
        var values: [NamedValue] = []
        for word in words {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else {
                throw error("\"\(word.text)\" is not NAME=VALUE; a value with spaces needs quotation marks")
            }
            guard equals > 0 else { throw error("\"\(word.text)\" has no name before the \"=\"") }
            values.append(NamedValue(name: word[..<equals].text, value: word[(equals + 1)...].text))
        }
        return values
    }

    func declarations() throws(DockerfileError) -> [ArgumentDeclaration] {
        try refuseFlags()
        var declarations: [ArgumentDeclaration] = []
        for word in RawWords.split(try some(), escape: escape) {
            let equals = word.firstIndex(of: UInt8(ascii: "="))
            let name = word[..<(equals ?? word.endIndex)]
            guard name.first?.beginsName == true, name.allSatisfy({ $0.beginsName || $0.isDigit }) else {
                throw error("\"\(name.text)\" is no name for an ARG: letters, digits and \"_\", no digit first")
            }
            let fallback = equals.map { word[($0 + 1)...].text }
            declarations.append(ArgumentDeclaration(name: name.text, fallback: fallback))
        }
        return declarations
    }

    func run() throws(DockerfileError) -> Instruction {
        let (flagWords, rest) = RawWords.flags(arguments, escape: escape)
        _ = try InstructionFlags(flagWords, of: "RUN", allowed: [], line: line.number)
        guard !rest.isEmpty else { throw error("RUN needs a command") }
        guard let first = line.heredocs.first else {
            let command = try form(rest)
            guard command != .exec([]) else { throw error("RUN needs a command") }
            return .run(command)
        }
        // A heredoc alone is the script itself; beside other words it is the shell's to read.
        guard RawWords.split(rest, escape: escape).count == 1 else {
            return .run(.shell(line.heredocs.reduce(rest.text) { $0 + "\n" + $1.content + $1.name }))
        }
        return first.content.hasPrefix("#!") ? .script(first.body) : .run(.shell(first.body))
    }

    func add() throws(DockerfileError) -> CopyInstruction {
        let add = try copy(flags: ["chown", "chmod"], unpacks: true)
        for case .path(let source) in add.sources {
            let isURL = source.contains("://") || (source.hasPrefix("git@") && source.contains(":"))
            guard !isURL else {
                throw error("ADD \(source): only local files are supported; fetch it before the build, or in a RUN")
            }
        }
        return add
    }

    func copy(flags allowed: Set<String>, unpacks: Bool) throws(DockerfileError) -> CopyInstruction {
        let (flagWords, rest) = RawWords.flags(arguments, escape: escape)
        let flags = try InstructionFlags(flagWords, of: instruction, allowed: allowed, line: line.number)
        if let from = flags["from"], from.contains("$") {
            throw error("COPY --from=\(from): variables are not replaced here; give the stage a name with FROM ... AS")
        }
        try refuseOtherArray(rest)
        let isJSON = JSONForm.strings(rest) != nil
        var words = JSONForm.strings(rest) ?? RawWords.split(rest, escape: escape).map(\.text)
        guard words.count >= 2, let destination = words.popLast() else {
            throw error("\(instruction) needs at least one source and a destination")
        }
        var heredocs = line.heredocs[...]
        var sources: [CopySource] = []
        for word in words {
            guard !isJSON, try isHeredoc(word), let heredoc = heredocs.popFirst() else {
                sources.append(.path(word))
                continue
            }
            guard !heredoc.name.contains("/"), heredoc.name != ".", heredoc.name != ".." else {
                throw error("the heredoc \(heredoc.name) cannot be a file's name")
            }
            sources.append(.heredoc(heredoc))
        }
        guard heredocs.isEmpty else { throw error("\(instruction): the destination cannot be a heredoc") }
        return CopyInstruction(
            sources: sources, destination: destination, from: flags["from"], owner: flags["chown"],
            mode: flags["chmod"], unpacksArchives: unpacks)
    }

    func healthCheck() throws(DockerfileError) -> HealthCheckInstruction {
        let (flagWords, rest) = RawWords.flags(arguments, escape: escape)
        let allowed: Set<String> = ["interval", "timeout", "start-period", "start-interval", "retries"]
        let flags = try InstructionFlags(flagWords, of: "HEALTHCHECK", allowed: allowed, line: line.number)
        let (kind, tail) = RawWords.first(rest)
        switch kind.text.uppercased() {
        case "NONE":
            guard tail.isEmpty, flagWords.isEmpty else { throw error("HEALTHCHECK NONE takes nothing else") }
            return HealthCheckInstruction(test: .none)
        case "CMD":
            guard !tail.isEmpty else { throw error("HEALTHCHECK CMD needs a command") }
            return HealthCheckInstruction(
                test: .command(try form(tail)), intervalNanoseconds: try flags.duration("interval"),
                timeoutNanoseconds: try flags.duration("timeout"),
                startPeriodNanoseconds: try flags.duration("start-period"),
                startIntervalNanoseconds: try flags.duration("start-interval"), retries: try flags.count("retries"))
        default: throw error("HEALTHCHECK is followed by CMD and a command, or by NONE")
        }
    }

    private func isHeredoc(_ word: String) throws(DockerfileError) -> Bool {
        do throws(WordError) { return try Heredoc.opened(by: Array(word.utf8)) != nil } catch {
            throw self.error(error.reason)
        }
    }

    private func form(_ text: [UInt8]) throws(DockerfileError) -> CommandForm {
        try refuseOtherArray(text)
        return JSONForm.strings(text).map { .exec($0) } ?? .shell(text.text)
    }

    private func refuseOtherArray(_ text: [UInt8]) throws(DockerfileError) {
        if JSONForm.isOtherArray(text) { throw error("\(instruction): a JSON array here holds only strings") }
    }

    private func refuseFlags() throws(DockerfileError) {
        let flags = RawWords.flags(arguments, escape: escape).flags
        _ = try InstructionFlags(flags, of: instruction, allowed: [], line: line.number)
    }

    private func some() throws(DockerfileError) -> [UInt8] {
        guard !arguments.isEmpty else { throw error("\(instruction) needs an argument") }
        return arguments
    }
}
