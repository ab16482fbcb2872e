import Linux

/// Attempts to see and to reach what else runs on the machine.
extension ProbeAttempt {
    static let ofProcesses = [
        ProbeAttempt("see-processes", "see processes that are not its own") { settings throws(ProbeGap) in
            let table: ProcessTree
            do { table = try ProcessTree.ofProc() } catch { return .stopped("\(error)") }
            let strangers = table.strangers(to: Trial.processID)
            return strangers.isEmpty
                ? .stopped("none in /proc")
                : .possible("\(strangers.count) in /proc, the first is \(strangers[0])")
        },
        ProbeAttempt("signal-processes", "signal a process outside") { settings throws(ProbeGap) in
            let pid = try outside(settings)
            // Inside a pid namespace the same number may be this process: no reach beyond itself.
            guard pid != Trial.processID else { return .stopped("process \(pid) is the probe itself") }
            switch Trial.signal(pid) {
            case .allowed: return .possible("process \(pid) may be signalled")
            case let outcome: return .stopped(describe(outcome))
            }
        },
        ProbeAttempt("read-process", "read the memory of a process outside") { settings throws(ProbeGap) in
            let pid = try outside(settings)
            guard pid != Trial.processID else { return .stopped("process \(pid) is the probe itself") }
            let environment = reading("/proc/\(pid)/environ")
            if environment.isPossible { return environment }
            let calls = try verdict(["process_vm_readv": Trial.readMemory(of: pid), "ptrace": Trial.seize(pid)])
            return calls.isPossible ? calls : .stopped("\(environment.detail), \(calls.detail)")
        },
        ProbeAttempt("take-descriptors", "take the open files of a process outside") { settings throws(ProbeGap) in
            let pid = try outside(settings)
            guard pid != Trial.processID else { return .stopped("process \(pid) is the probe itself") }
            return try verdict(["pidfd_getfd": Trial.takeDescriptor(of: pid)])
        },
        ProbeAttempt("join-namespaces", "enter the namespaces of a process outside") { settings throws(ProbeGap) in
            let pid = try outside(settings)
            guard pid != Trial.processID else { return .stopped("process \(pid) is the probe itself") }
            let shared = ["mnt", "net", "pid", "ipc"].filter { kind in
                guard let own = try? Files.link("/proc/self/ns/\(kind)") else { return false }
                return own == (try? Files.link("/proc/\(pid)/ns/\(kind)"))
            }
            if !shared.isEmpty { return .possible("it is in the same already: \(shared.joined(separator: ", "))") }
            return try verdict(Trial.enterNamespaces(of: pid))
        },
        ProbeAttempt("shared-memory", "read the shared memory of a program outside") { settings throws(ProbeGap) in
            let id = Int32(try settings.number(ProbeSettings.sharedSegment, in: 0...Int(Int32.max)))
            let file = reading(try settings.text(ProbeSettings.sharedFile))
            if file.isPossible { return file }
            let segment = try verdict(["shmat": Trial.attachShared(id)])
            return segment.isPossible ? segment : .stopped("\(file.detail), \(segment.detail)")
        },
        ProbeAttempt("inherited-descriptors", "use files that its caller had open") { settings throws(ProbeGap) in
            let open = Trial.inheritedDescriptors()
            return open.isEmpty
                ? .stopped("none open but 0, 1 and 2") : .possible("open: \(firstFew(open.map(String.init)))")
        },
    ]

    private static func outside(_ settings: ProbeSettings) throws(ProbeGap) -> Int32 {
        Int32(try settings.number(ProbeSettings.outsidePID, in: 1...4_194_304))
    }

    /// Enough of a list to see what it is about.
    static func firstFew(_ names: [String]) -> String {
        names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " ..." : "")
    }

    static func describe(_ outcome: Trial.Outcome) -> String {
        switch outcome {
        case .allowed: "allowed"
        case .refused(let code): code.name
        case .killed(let signal): "killed by \(Signal.name(of: signal))"
        case .untried(let code): "no child to try it in (\(code.name))"
        }
    }

    /// The verdict on system calls of which one allowed is enough. None is stopped that could not be tried.
    static func verdict(_ outcomes: [String: Trial.Outcome]) throws(ProbeGap) -> ProbeVerdict {
        let sorted = outcomes.sorted { $0.key < $1.key }
        let detail = sorted.map { "\($0.key): \(describe($0.value))" }.joined(separator: ", ")
        if sorted.contains(where: { $0.value == .allowed }) { return .possible(detail) }
        for case (_, .untried) in sorted { throw ProbeGap(reason: detail) }
        return .stopped(detail)
    }
}

/// Who is whose parent, as /proc tells it.
struct ProcessTree: Hashable, Sendable {
    /// Parent by process; 0 stands for "none that can be seen".
    var parents: [Int32: Int32]

    /// Reads the processes that /proc shows. One that ends meanwhile is passed over.
    static func ofProc() throws(SystemError) -> ProcessTree {
        var parents: [Int32: Int32] = [:]
        for name in try Files.list("/proc") {
            guard let pid = Int32(name), let stat = try? Files.readText("/proc/\(name)/stat") else { continue }
            parents[pid] = parent(inStat: stat) ?? 0
        }
        return ProcessTree(parents: parents)
    }

    /// The parent in a line of /proc/PID/stat, proc_pid_stat(5): the second field after the name, which stands in
    /// parentheses and may contain anything, parentheses included.
    static func parent(inStat line: String) -> Int32? {
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// The processes that are neither `pid`, nor above it, nor below it, in ascending order.
    func strangers(to pid: Int32) -> [Int32] {
        let above = Set(line(above: pid))
        return parents.keys.filter { $0 != pid && !above.contains($0) && !line(above: $0).contains(pid) }.sorted()
    }

    private func line(above pid: Int32) -> [Int32] {
        var line: [Int32] = []
        var at = pid
        // Bounded by the number of processes: what was read while it changed may contain a circle.
        while let parent = parents[at], parent > 0, line.count < parents.count {
            line.append(parent)
            at = parent
        }
        return line
    }
}
