import Observation

// What the program's own file decides.

extension PlanningRule {
    /// A program without a known path cannot be put anywhere else.
    static let identity = PlanningRule("identity") { subject in
        switch subject.file {
        case .notLookedAt(let why):
            return [Finding("identity", .unknown, .isolated, "what kind of file it is, is not known: \(why)")]
        case .gone(let why):
            return [
                Finding(
                    "identity", .blocker, .isolated,
                    "its file cannot be read now, so that it can be packed nowhere: \(why)")
            ]
        case .found: return []
        }
    }

    /// Sandboxes run programs of this machine's own architecture and word size only.
    static let format = PlanningRule("format") { subject in
        guard let facts = subject.file.facts else { return [] }
        switch facts.form {
        case .elf(let elf) where elf.fileClass == .bits32:
            return [
                Finding(
                    "format", .blocker, .isolated,
                    "it is a 32-bit program (\(elf.machine)): the system-call filter of sandboxes ends those")
            ]
        case .elf(let elf) where elf.isStatic:
            return [Finding("format", .note, [], "it is linked statically: an image of it needs no libraries")]
        case .elf, .script: return []
        case .other(let what):
            return [Finding("format", .blocker, .isolated, "it is \(what): only its caller knows how to run it")]
        }
    }

    /// What distributions keep for themselves (FHS 3.0): programs there are changed by upgrades alone.
    private static let distribution = [
        "/bin/", "/sbin/", "/lib/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/share/",
    ]
    /// Interpreters whose scripts can be given a handler.
    private static let languages = ["python", "perl", "node", "ruby", "php"]

    /// The Runtime API wants a change of code: of a distribution's program nobody makes one.
    static let foreignCode = PlanningRule("foreign code") { subject in
        guard let path = subject.program.identity.path, distribution.contains(where: { path.hasPrefix($0) }) else {
            return []
        }
        let name = path.split(separator: "/").last ?? ""
        let scripts = Set(subject.program.examples.compactMap { $0.arguments.dropFirst().first { !$0.hasPrefix("-") } })
        if languages.contains(where: { name.hasPrefix($0) }), scripts.count == 1, let script = scripts.first {
            return [
                Finding(
                    "foreign code", .note, [], "it runs one script, whose code could get a handler", evidence: [script])
            ]
        }
        return [
            Finding(
                "foreign code", .blocker, [.runtime],
                "it is a program of the distribution's, whose code gets no handler")
        ]
    }

    /// no-new-privileges is on in sandboxes, and a shim's file is not setuid.
    static let privileges = PlanningRule("privileges") { subject in
        var evidence: [String] = []
        if let facts = subject.file.facts {
            if facts.isSetuid { evidence.append("the file is setuid") }
            if facts.isSetgid { evidence.append("the file is setgid") }
            if facts.hasCapabilities { evidence.append("the file has capabilities") }
        }
        evidence += subject.program.deep?.identityChanges ?? []
        if !evidence.isEmpty {
            return [
                Finding(
                    "privileges", .blocker, .isolated,
                    "it changes its identity or gains privileges by its file, which sandboxes forbid",
                    evidence: evidence)
            ]
        }
        guard subject.program.deep == nil, subject.file.facts == nil else { return [] }
        return [
            Finding("privileges", .unknown, .isolated, "whether it gains privileges is not known: \(askForTracing)")
        ]
    }
}
