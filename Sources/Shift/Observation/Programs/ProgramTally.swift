import Linux

/// Counts calls program by program: processes in, programs out.
///
/// Invariants
/// 1. Every exec is a call of exactly one program. (test: `each exec is one call`)
/// 2. The order in which processes come changes no number. (test: `the order of processes changes no number`)
package struct ProgramTally: Sendable {
    private var programs: [RecordedProgram.Identity: Entry] = [:]

    fileprivate struct Entry: Sendable {
        var program: RecordedProgram
        var callers: [String?: RecordedProgram.Caller] = [:]
        var seenExamples: Set<RecordedProgram.Example> = []
    }

    private let hasTimes: Bool

    /// - Parameter hasTimes: false: the times say nothing but what came before what, and nothing is counted by them.
    package init(hasTimes: Bool = true) { self.hasTimes = hasTimes }

    /// All calls so far, of any program.
    package private(set) var calls = 0

    package mutating func add(_ process: RecordedProcess) {
        guard !process.execs.isEmpty else { return addFork(process) }
        for index in process.execs.indices { add(process, exec: index) }
        if process.fork != nil, let parent = process.parent.program,
            let child = process.execs[0].program ?? process.name
        {
            self[.path(parent)].program.children[child, default: 0] += 1
        }
    }

    /// The programs, the most called first.
    ///
    /// - Parameter nanoseconds: how long was observed, for the rates.
    package func programs(over nanoseconds: Int) -> [RecordedProgram] {
        programs.values.filter { $0.program.calls > 0 || $0.program.forksWithoutExec > 0 }.map { entry in
            var program = entry.program
            program.callers = entry.callers.values.sorted {
                ($1.calls, $0.program ?? "") < ($0.calls, $1.program ?? "")
            }
            program.callsPerSecond =
                hasTimes && nanoseconds > 0 ? Double(program.calls) / (Double(nanoseconds) / 1e9) : 0
            return program
        }.sorted { ($1.calls, $1.forksWithoutExec, $0.identity) < ($0.calls, $0.forksWithoutExec, $1.identity) }
    }

    private subscript(identity: RecordedProgram.Identity) -> Entry {
        get { programs[identity] ?? Entry(program: RecordedProgram(identity)) }
        _modify { yield &programs[identity, default: Entry(program: RecordedProgram(identity))] }
    }

    private mutating func addFork(_ process: RecordedProcess) {
        guard process.fork != nil, let parent = process.parent.program else { return }
        self[.path(parent)].program.forksWithoutExec += 1
        if hasTimes, let fork = process.fork, let exit = process.exit {
            self[.path(parent)].program.forkLifetime.add(exit.at - fork)
        }
        if let deep = process.deep { Self.merge(deep, into: &self[.path(parent)].program.deep) }
    }

    private mutating func add(_ process: RecordedProcess, exec index: Int) {
        let exec = process.execs[index]
        calls += 1
        let isLast = index == process.execs.count - 1
        self[Self.identity(of: exec, process, isLast)].add(process, exec: index, isLast: isLast, hasTimes)
    }

    /// The name is that of the last program; one before it that was not seen has none.
    private static func identity(
        of exec: RecordedExec, _ process: RecordedProcess, _ isLast: Bool
    ) -> RecordedProgram.Identity {
        exec.program.map { .path($0) } ?? .name(isLast ? process.name ?? "?" : "?")
    }

    static func merge(_ facts: DeepFacts, into merged: inout DeepFacts?) {
        var all = merged ?? DeepFacts()
        all.add(facts)
        merged = all
    }
}

extension ProgramTally.Entry {
    fileprivate mutating func add(_ process: RecordedProcess, exec index: Int, isLast: Bool, _ hasTimes: Bool) {
        let exec = process.execs[index]
        program.firstCall = program.calls == 0 ? exec.at : min(program.firstCall, exec.at)
        program.lastCall = max(program.lastCall, exec.at)
        program.calls += 1
        addCaller(process, exec: index)
        if hasTimes, index == 0, let fork = process.fork { program.forkToExec.add(exec.at - fork) }
        if let end = isLast ? process.exit?.at : process.execs[index + 1].at {
            if hasTimes { program.lifetime.add(end - exec.at) }
        } else {
            program.unfinished += 1
        }
        if let interpreter = exec.interpreter { program.interpreter = max(program.interpreter ?? "", interpreter) }
        if let uid = process.uid { program.users[uid, default: 0] += 1 }
        if let directory = exec.directory { program.directories[directory, default: 0] += 1 }
        addExample(exec)
        for origin in process.origins { program.origins[origin, default: 0] += 1 }
        addUsage(process)
        guard isLast else { return }
        if let status = process.exit?.status { program.exits[status, default: 0] += 1 }
        if let deep = process.deep {
            program.tracedCalls += 1
            ProgramTally.merge(deep, into: &program.deep)
        }
    }

    private mutating func addCaller(_ process: RecordedProcess, exec index: Int) {
        let name = index > 0 ? process.execs[index - 1].program : process.parent.program
        var caller =
            callers[name] ?? RecordedProgram.Caller(program: name, calls: 0, residentBytes: Spread(), withoutFork: 0)
        caller.calls += 1
        if index > 0 || process.fork == nil { caller.withoutFork += 1 }
        if index == 0, let bytes = process.parent.residentBytes { caller.residentBytes.add(bytes) }
        callers[name] = caller
    }

    private mutating func addExample(_ exec: RecordedExec) {
        guard let arguments = exec.arguments else {
            program.argumentsMissed += 1
            return
        }
        let example = RecordedProgram.Example(arguments: arguments, directory: exec.directory)
        guard program.examples.count < RecordedProgram.exampleLimit, seenExamples.insert(example).inserted else {
            return
        }
        program.examples.append(example)
    }

    private mutating func addUsage(_ process: RecordedProcess) {
        guard process.execs.count == 1 else {
            program.usageIsShared += 1
            return
        }
        if let cpu = process.usage.cpuNanoseconds { program.cpu.add(cpu) }
        if let peak = process.usage.peakMemoryBytes { program.peakMemory.add(peak) }
        if let bytes = process.usage.readBytes { program.readBytes.add(bytes) }
        if let bytes = process.usage.writtenBytes { program.writtenBytes.add(bytes) }
    }
}

extension DeepFacts {
    /// The union with other facts.
    package mutating func add(_ other: DeepFacts) {
        var positions = Dictionary(files.enumerated().map { ($1.path, $0) }) { first, _ in first }
        for file in other.files {
            if let at = positions[file.path] {
                for action in file.actions where !files[at].actions.contains(action) {
                    files[at].actions.append(action)
                }
            } else {
                positions[file.path] = files.count
                files.append(file)
            }
        }
        Self.unite(&sockets, other.sockets)
        Self.unite(&environmentGiven, other.environmentGiven)
        environmentValues.merge(other.environmentValues) { old, _ in old }
        Self.unite(&environmentChangedForChildren, other.environmentChangedForChildren)
        Self.unite(&inheritedDescriptors, other.inheritedDescriptors)
        Self.unite(&terminals, other.terminals)
        Self.unite(&sharedMemory, other.sharedMemory)
        Self.unite(&identityChanges, other.identityChanges)
        Self.unite(&signalsSent, other.signalsSent)
        notableCalls.merge(other.notableCalls, uniquingKeysWith: +)
    }

    private static func unite<Element: Hashable>(_ all: inout [Element], _ more: [Element]) {
        var seen = Set(all)
        for element in more where seen.insert(element).inserted { all.append(element) }
    }
}
