import Glibc
package import Linux

/// Makes a recording of what `strace -f` has written elsewhere.
///
/// Two rounds: the first learns which process forked which, since a child's first lines often stand before the line with
/// its parent's fork; the second does the rest. Pure: lines in, a recording out.
///
/// Invariants
/// 1. Any lines give a recording; what is no line of strace is counted and named. (test: `no bytes make the reader of traces trap`)
/// 2. A call that was cut in two by another process's lines counts like a whole one.
///    (test: `a call that was interrupted in the trace counts once`)
package struct StraceImport {
    /// What an import gave.
    package struct Outcome: Sendable {
        package var recording: Recording
        /// The first lines that could not be read.
        package var badLines: [BadLine]
    }

    /// A line that could not be read.
    package struct BadLine: Hashable, Sendable {
        /// From 1.
        package var number: Int
        /// Its beginning.
        package var text: String
    }

    private static let shownBadLines = 10
    private static let shownText = 80

    private var family = StraceFamily()
    private var clock = StraceClock()
    private var table: ProcessTable
    private var collector = DeepCollector()
    private var calls: [Int32: StraceCalls] = [:]
    private var unfinished: [Int32: (name: String, arguments: String)] = [:]
    private var begun: Set<Int32> = []
    private var records: [RecordedProcess] = []
    private var bad: [BadLine] = []
    private var badCount = 0
    private var lineNumber = 0

    private init() { table = ProcessTable(start: 0, accounting: .none) }

    /// Reads a trace.
    ///
    /// - Parameters:
    ///   - lines: called once for each round; hands over every line.
    ///   - name: the file, for the header.
    package static func read<Failure: Error>(
        name: String, now: Timestamp, writer: String, lines: ((Substring) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> Outcome {
        var work = StraceImport()
        try lines { line in
            if let parsed = StraceScanner.line(line) { work.family.learn(parsed) }
        }
        work.family.settle()
        try lines { line in work.take(line) }
        return work.finish(name: name, now: now, writer: writer)
    }

    private mutating func take(_ text: Substring) {
        lineNumber += 1
        guard let line = StraceScanner.line(text) else {
            badCount += 1
            if bad.count < Self.shownBadLines {
                bad.append(BadLine(number: lineNumber, text: String(text.prefix(Self.shownText))))
            }
            return
        }
        if case .remark = line.content, line.time == .none { return }
        let at = clock.take(line.time)
        let pid = family.pid(of: line)
        begin(pid, at)
        switch line.content {
        case .call(let name, let arguments, let result): call(pid, name, arguments, result, at)
        case .unfinished(let name, let arguments): unfinished[pid] = (name, arguments)
        case .resumed(let name, let arguments, let result):
            // One whose beginning is missing, or is of another call, has lost it.
            guard let before = unfinished.removeValue(forKey: pid), before.name == name else { return }
            let joined =
                before.arguments + (arguments.hasPrefix(" ") || before.arguments.isEmpty ? "" : " ") + arguments
            call(pid, name, joined, result, at)
        case .exited(let status): ended(pid, .exited(status), at)
        case .killed(let name, let dumped):
            ended(pid, .signaled(Signal.number(of: name) ?? SIGKILL, coreDumped: dumped), at)
        case .superseded, .remark: break
        }
    }

    /// The first line of a process is its fork, where its parent is known.
    private mutating func begin(_ pid: Int32, _ at: Int) {
        guard begun.insert(pid).inserted, let parent = family.parent(of: pid), !family.isThread(pid) else { return }
        let process = family.process(of: parent)
        begin(process, at)
        feed(.forked(at: at, parent: process, child: pid))
        collector.forked(pid, from: process)
        calls[pid] = calls[process]
    }

    private mutating func call(_ thread: Int32, _ name: String, _ arguments: String, _ result: String, _ at: Int) {
        let pid = family.process(of: thread)
        guard let (value, path) = StraceArguments.result(result) else { return }
        let parts = StraceArguments.split(arguments)
        var state = calls[pid] ?? StraceCalls()
        let call = state.call(name, parts, result: value)
        for case .directory in CallShape.of(name).prefix(1) {
            // -y tells of the working directory where a call names it.
            if case .descriptor(-100, let here?)? = call.arguments.first, state.directory == nil {
                state.directory = here
            }
        }
        state.note(name, parts, call, resultPath: path)
        calls[pid] = state
        collector.add(CallDeeds.of(call), by: pid)
        if name == "execve" || name == "execveat", value == 0 { executed(pid, call, parts, at) }
    }

    private mutating func executed(_ pid: Int32, _ call: TracedCall, _ parts: [Substring], _ at: Int) {
        let first = call.name == "execve" ? 0 : 1
        let arguments = parts.count > first + 1 ? StraceArguments.array(parts[first + 1]) : nil
        feed(.executed(at: at, pid: pid))
        let path = call.path(first) ?? call.file(0)
        feed(
            .looked(
                pid: pid,
                ProcessGlimpse(
                    began: at, ended: at, executable: path, arguments: arguments, directory: calls[pid]?.directory)))
        let environment = parts.count > first + 2 ? StraceArguments.array(parts[first + 2]) : nil
        collector.executed(
            pid,
            environment: environment?.map { variable in
                let name = variable.prefix { $0 != "=" }
                return (String(name), String(variable.dropFirst(name.count + 1)))
            }, descriptors: [])
    }

    private mutating func ended(_ pid: Int32, _ status: ExitStatus, _ at: Int) {
        unfinished[pid] = nil
        guard !family.isThread(pid) else { return }
        if let facts = collector.take(pid), !facts.isEmpty { feed(.traced(pid: pid, facts)) }
        calls[pid] = nil
        feed(.exited(at: at, pid: pid, status: status))
    }

    private mutating func feed(_ event: ProcessTable.Event) { perform(table.take(event)) }

    private mutating func perform(_ actions: [ProcessTable.Action]) {
        // There is nothing to look at any more.
        for case .record(let process) in actions { records.append(process) }
    }

    private consuming func finish(name: String, now: Timestamp, writer: String) -> Outcome {
        for pid in begun {
            if let facts = collector.take(pid), !facts.isEmpty { feed(.traced(pid: pid, facts)) }
        }
        perform(table.finish())
        var losses = table.losses
        losses.badLines = badCount
        // A trace has neither: nothing was missed that it could have had.
        losses.usageMissed = 0
        losses.parentSizesMissed = 0
        var header = RecordingHeader(
            mode: .imported, machine: "", kernel: "", architecture: "", start: clock.start ?? now, sources: ["strace"],
            command: [name], writer: writer)
        header.hasTimes = clock.hasTimes
        return Outcome(
            recording: Recording(
                header: header, processes: records,
                ending: RecordingEnd(at: max(0, clock.last), reason: .imported, losses: losses)),
            badLines: bad)
    }
}
