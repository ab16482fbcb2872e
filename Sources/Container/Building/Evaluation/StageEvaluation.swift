internal import Linux
package import OCI

/// The configuration of a stage, instruction by instruction: what each changes in the image's config, and what it asks
/// to be done. Pure: files, users and programs are somebody else's.
///
/// Invariants
/// 1. The variables of an instruction have their values from before it. (test: `an instruction sees the values before it`)
/// 2. ENTRYPOINT forgets the CMD of the base image, not one of this stage. (test: `ENTRYPOINT forgets the base's CMD`)
/// 3. What is wrong is an error with the line, and the configuration is as before. (test: `a wrong instruction changes nothing`)
package struct StageEvaluation: Hashable, Sendable {
    /// Without layers and history: they are the builder's.
    package private(set) var defaults: ImageDefaults
    private var variables: BuildVariables
    private var hasOwnCommand = false
    private let given: [String: String]
    private let globals: [String: String]
    private let escape: UInt8

    /// PATH of a stage from scratch: without it `ENV PATH=/opt:$PATH` would put the working directory on the path.
    package static let searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// - Parameters:
    ///   - base: What the image below says; nil: there is none.
    ///   - given: `--build-arg`.
    ///   - globals: `BuildGraph.globals`.
    package init(on base: ImageDefaults?, given: [String: String], globals: [String: String], escape: UInt8) {
        defaults = base ?? ImageDefaults()
        if base == nil { defaults.env = [Self.searchPath] }
        variables = BuildVariables(environment: defaults.env)
        self.given = given
        self.globals = globals
        self.escape = escape
    }

    /// For a stage that is built on this one: ARGs are inherited, whether CMD was given is not.
    package var continued: StageEvaluation {
        var next = self
        next.hasOwnCommand = false
        return next
    }

    /// The directory that relative paths begin in.
    package var directory: String { defaults.workingDirectory.isEmpty ? "/" : defaults.workingDirectory }

    /// Takes one instruction.
    ///
    /// - Parameter origin: Where a COPY --from copies from.
    package mutating func apply(_ step: Step, origin: BuildGraph.Origin? = nil) throws(DockerfileError) -> StepAction {
        var next = self
        let action: StepAction
        do throws(WordError) { action = try next.take(step.instruction, origin) } catch {
            throw DockerfileError(line: step.line, error.reason)
        }
        next.defaults.env = next.variables.environment
        self = next
        return action
    }

    private mutating func take(
        _ instruction: Instruction, _ origin: BuildGraph.Origin?
    ) throws(WordError) -> StepAction {
        switch instruction {
        case .run(let form): return .run(run(form))
        case .script(let text):
            var run = run(.exec([]))
            run.script = text
            return .run(run)
        case .copy(let copy): return .copy(try self.copy(copy, origin))
        case .workingDirectory(let path):
            let path = try expand(path)
            guard !path.isEmpty else { throw WordError("WORKDIR is empty once its variables are replaced") }
            defaults.workingDirectory = BuildPath.joined(directory, path)
            return .makeDirectory(defaults.workingDirectory)
        case .argument(let declarations): try declare(declarations)
        case .environment(let values):
            for value in try expand(values) {
                guard !value.name.isEmpty else { throw WordError("ENV: a name is empty once its variables are replaced") }
                variables.set(value.name, value.value)
            }
        case .label(let values):
            for value in try expand(values) { defaults.labels[value.name] = value.value }
        case .entrypoint(let form):
            defaults.entrypoint = command(form)
            if !hasOwnCommand { defaults.cmd = nil }
        case .command(let form):
            defaults.cmd = command(form)
            hasOwnCommand = true
        case .shell(let words): defaults.shell = words
        default: try takeProposal(instruction)
        }
        return .configuration
    }

    /// What only proposes something for containers.
    private mutating func takeProposal(_ instruction: Instruction) throws(WordError) {
        switch instruction {
        case .user(let user):
            let user = try expand(user)
            guard !user.isEmpty else { throw WordError("USER is empty once its variables are replaced") }
            defaults.user = user
        case .expose(let words):
            for word in words { try expose(try expandWords(word)) }
        case .volume(let paths):
            for path in paths {
                let path = try expand(path)
                guard !path.isEmpty else { throw WordError("VOLUME: a path is empty once its variables are replaced") }
                if !defaults.volumes.contains(path) { defaults.volumes.append(path) }
            }
            defaults.volumes.sort()
        case .stopSignal(let text):
            let text = try expand(text)
            guard Signal.number(of: text) != nil || Self.isRealTimeSignal(text) else {
                throw WordError("STOPSIGNAL \(text) is no signal: write a name such as SIGTERM, or a number")
            }
            defaults.stopSignal = text
        case .healthCheck(let check): defaults.healthcheck = healthcheck(check)
        default: preconditionFailure("an instruction that nobody takes")
        }
    }

    // ARG.

    private mutating func declare(_ declarations: [ArgumentDeclaration]) throws(WordError) {
        var values: [NamedValue] = []
        for declaration in declarations {
            let fallback = try declaration.fallback.map { text throws(WordError) in try expand(text) }
            guard let value = given[declaration.name] ?? fallback ?? globals[declaration.name] else { continue }
            values.append(NamedValue(name: declaration.name, value: value))
        }
        for value in values { variables.declare(value.name, value.value) }
    }

    // RUN.

    private var shell: [String] { defaults.shell ?? ["/bin/sh", "-c"] }

    private func run(_ form: CommandForm) -> RunAction {
        let words =
            switch form {
            case .exec(let words): words
            case .shell(let text): shell + [text]
            }
        let arguments = variables.visibleArguments
        let seen = Set(arguments.map(\.name))
        let proxies = BuildGraph.predefinedArguments.sorted().compactMap { name -> String? in
            guard !seen.contains(name), variables.value(of: name) == nil, let value = given[name] else { return nil }
            return "\(name)=\(value)"
        }
        return RunAction(
            words: words, environment: variables.environment + arguments.map { "\($0.name)=\($0.value)" },
            proxies: proxies, directory: directory, user: defaults.user)
    }

    private func command(_ form: CommandForm) -> [String]? {
        switch form {
        case .exec(let words): words.isEmpty ? nil : words
        case .shell(let text): shell + [text]
        }
    }

    // COPY and ADD.

    private func copy(_ copy: CopyInstruction, _ origin: BuildGraph.Origin?) throws(WordError) -> CopyAction {
        var sources: [CopyAction.Source] = []
        for source in copy.sources {
            switch source {
            case .path(let path):
                let path = try expand(path)
                guard !path.isEmpty else { throw WordError("a source is empty once its variables are replaced") }
                sources.append(.path(path))
            case .heredoc(let heredoc): sources.append(.file(name: heredoc.name, text: try text(of: heredoc)))
            }
        }
        let written = try expand(copy.destination)
        guard !written.isEmpty else { throw WordError("the destination is empty once its variables are replaced") }
        let isDirectory = written.hasSuffix("/") || written == "." || written.hasSuffix("/.")
        guard sources.count == 1 || isDirectory else {
            throw WordError("with several sources the destination is a directory: end \"\(written)\" with a \"/\"")
        }
        return CopyAction(
            sources: sources, destination: BuildPath.joined(directory, written), isDirectory: isDirectory,
            origin: origin, owner: try copy.owner.map { text throws(WordError) in try expand(text) },
            mode: try copy.mode.map { text throws(WordError) in try mode(try expand(text)) },
            unpacksArchives: copy.unpacksArchives)
    }

    private func text(of heredoc: Heredoc) throws(WordError) -> String {
        guard heredoc.expands else { return heredoc.body }
        return try expansion.content(heredoc.body)
    }

    private func mode(_ text: String) throws(WordError) -> UInt32 {
        guard (1...5).contains(text.utf8.count), let mode = UInt32(text, radix: 8), mode <= 0o7777,
            text.utf8.allSatisfy({ (0x30...0x37).contains($0) })
        else { throw WordError("--chmod=\(text) is not supported: write the mode in octal, as in 755") }
        return mode
    }

    // What the image says.

    private mutating func expose(_ words: [String]) throws(WordError) {
        for word in words {
            let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let ends = (parts.first ?? "").split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let transport = parts.count == 2 ? String(parts[1]) : "tcp"
            guard let first = ends.first.flatMap({ ContainerPort("\($0)/\(transport)") }),
                let last = ends.last.flatMap({ ContainerPort("\($0)/\(transport)") }), first <= last
            else { throw WordError("EXPOSE \(word): write PORT, PORT/udp or FIRST-LAST, from 1 to 65535") }
            for number in first.number...last.number {
                let port = ContainerPort(number, first.transport)!
                if !defaults.exposedPorts.contains(port) { defaults.exposedPorts.append(port) }
            }
        }
        defaults.exposedPorts.sort()
    }

    private func healthcheck(_ check: HealthCheckInstruction) -> Healthcheck {
        let test: Healthcheck.Test =
            switch check.test {
            case .none: .none
            case .command(.exec(let words)): .command(words)
            case .command(.shell(let text)): .shell(text)
            }
        return Healthcheck(
            test: test, interval: Int64(check.intervalNanoseconds ?? 0), timeout: Int64(check.timeoutNanoseconds ?? 0),
            startPeriod: Int64(check.startPeriodNanoseconds ?? 0),
            startInterval: Int64(check.startIntervalNanoseconds ?? 0), retries: check.retries ?? 0)
    }

    /// "SIGRTMIN+3", as systemd's images have it (signal(7)).
    private static func isRealTimeSignal(_ text: String) -> Bool {
        let text = text.uppercased()
        if text == "SIGRTMIN" || text == "SIGRTMAX" { return true }
        let offset = text.hasPrefix("SIGRTMIN+") || text.hasPrefix("SIGRTMAX-") ? Int(text.dropFirst(9)) : nil
        return offset.map { (1...30).contains($0) } ?? false
    }

    // Words.

    private var expansion: WordExpansion { WordExpansion(escape: escape) { variables.value(of: $0) } }

    private func expand(_ text: String) throws(WordError) -> String { try expansion.word(text) }

    private func expandWords(_ text: String) throws(WordError) -> [String] { try expansion.words(text) }

    private func expand(_ values: [NamedValue]) throws(WordError) -> [NamedValue] {
        var expanded: [NamedValue] = []
        for value in values {
            expanded.append(NamedValue(name: try expand(value.name), value: try expand(value.value)))
        }
        return expanded
    }
}
