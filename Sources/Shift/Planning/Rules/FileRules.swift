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
                    "it changes its identity or gains privileges by its file, which sandboxes forbid", evidence: evidence)
            ]
        }
        guard subject.program.deep == nil, subject.file.facts == nil else { return [] }
        return [
            Finding("privileges", .unknown, .isolated, "whether it gains privileges is not known: \(askForTracing)")
        ]
    }
}
