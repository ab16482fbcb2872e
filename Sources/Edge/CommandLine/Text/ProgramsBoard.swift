import Comparison
import JSON
import Linux
import Observation

/// The table of `forkless observe`: a row for each program, the most called first. A dash: not known.
struct ProgramsBoard {
    var programs: [RecordedProgram]
    var origins: [ProgramOrigin]
    var processes: Int
    var calls: Int
    var nanoseconds: Int

    private static let unknown = "–"

    /// "1,234 calls of 17 programs in 1 min 4 s".
    var headline: String {
        let called = programs.count { $0.calls > 0 }
        return Self.count(calls, "call") + " of " + Self.count(called, "program") + ", "
            + Self.count(processes, "process", "processes") + ", in " + FloatingText.duration(nanoseconds: nanoseconds)
    }

    private static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        FloatingText.grouped(count) + " " + (count == 1 ? one : many ?? one + "s")
    }

    /// At most `limit` programs; a program is shortened where the width asks for it.
    func listing(limit: Int, width: Int) -> Listing {
        Listing(
            columns: [
                .init("PROGRAM", wraps: false), .init("CALLS", .right), .init("PER S", .right),
                .init("CALLER", wraps: false),
                .init("SIZE", .right), .init("TO EXEC", .right), .init("LIFE", .right), .init("P99", .right),
                .init("CPU", .right), .init("MEMORY", .right), .init("FAILED", .right), .init("FROM", wraps: false),
            ],
            rows: programs.prefix(limit).map { row($0, width) })
    }

    private func row(_ program: RecordedProgram, _ width: Int) -> [String] {
        let caller = program.callers.first
        let sizes = program.callers.reduce(into: Spread()) { $0.add($1.residentBytes) }
        let name = width < 160 ? Self.short(program.identity.text, to: max(18, width / 4)) : program.identity.text
        return [
            name, FloatingText.grouped(program.calls), Self.rate(program.callsPerSecond),
            caller.map { ($0.program.map(Self.lastPart) ?? "?") + (program.callers.count > 1 ? ", …" : "") }
                ?? Self.unknown,
            Self.bytes(sizes), Self.time(program.forkToExec, 50), Self.time(program.lifetime, 50),
            Self.time(program.lifetime, 99), Self.time(program.cpu, 50), Self.bytes(program.peakMemory),
            program.failures == 0 ? "0" : FloatingText.grouped(program.failures), origin(of: program, width),
        ]
    }

    private func origin(of program: RecordedProgram, _ width: Int) -> String {
        guard let most = program.origins.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else {
            return Self.unknown
        }
        let title = origins.indices.contains(most.key) ? origins[most.key].title : Self.unknown
        return width < 160 ? Shortened.text(title, to: 24) : title
    }

    private static func rate(_ value: Double) -> String { FloatingText.fixed(value, decimals: value < 10 ? 2 : 0) }

    private static func time(_ spread: Spread, _ percent: Int) -> String {
        spread.isEmpty ? unknown : FloatingText.duration(nanoseconds: spread.percentile(percent))
    }

    private static func bytes(_ spread: Spread) -> String { spread.isEmpty ? unknown : FloatingText.bytes(spread.p50) }

    private static func lastPart(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The end of a path is what tells programs apart.
    private static func short(_ path: String, to limit: Int) -> String {
        path.count <= limit ? path : "…" + path.suffix(limit - 1)
    }
}

/// One process of a recording as a line: "12.345 s  4711  cron > sh -c run  1.3 ms  exited with status 0".
enum ProcessLine {
    private static let argumentsLimit = 300

    static func text(_ process: RecordedProcess) -> String {
        let at = process.execs.last?.at ?? process.fork ?? 0
        let parent = process.parent.program ?? (process.parent.pid > 0 ? "\(process.parent.pid)" : "?")
        var parts = [FloatingText.fixed(Double(at) / 1e9, decimals: 6), "\(process.pid)", parent, ">", words(process)]
        if let exit = process.exit {
            parts.append(FloatingText.duration(nanoseconds: exit.at - at))
            if let cpu = process.usage.cpuNanoseconds { parts.append("cpu " + FloatingText.duration(nanoseconds: cpu)) }
            parts.append(exit.status.map(\.description) ?? "ended")
        } else {
            parts.append("still runs")
        }
        return DisplayWidth.printable(parts.joined(separator: "  "))
    }

    private static func words(_ process: RecordedProcess) -> String {
        guard let exec = process.execs.last else { return "(fork)" }
        let program = exec.program ?? process.name.map { "[\($0)]" } ?? "?"
        guard let arguments = exec.arguments else { return program + " (arguments not seen)" }
        return Shortened.text(([program] + arguments.dropFirst()).joined(separator: " "), to: argumentsLimit)
    }
}

/// What a recording missed, as sentences; none when nothing.
enum LossText {
    static func lines(_ losses: RecordingLosses) -> [String] {
        let sentences: [(Int, String)] = [
            (losses.eventOverruns, "times the kernel's buffer of events was full: calls are missing"),
            (losses.accountingOverruns, "times the kernel's buffer of accounting was full"),
            (losses.unreadableEvents, "events were not understood"),
            (losses.argumentsMissed, "calls ended before their arguments could be read"),
            (losses.programsMissed, "of those could not be told by path either"),
            (losses.usageMissed, "ends without accounting"),
            (losses.parentSizesMissed, "times a parent's size could not be read"),
            (losses.untraced, "processes could not be traced"),
            (losses.badLines, "lines could not be read"),
        ]
        return sentences.filter { $0.0 > 0 }.map { "\(FloatingText.grouped($0.0)) \($0.1)" }
    }
}

/// The same for programs.
enum ProgramJSON {
    static func value(_ board: ProgramsBoard) -> JSONValue {
        [
            "nanoseconds": board.nanoseconds.json, "processes": board.processes.json, "calls": board.calls.json,
            "programs": .array(
                board.programs.map { program in
                    var json = program.json
                    let titles = program.origins.keys.sorted().filter(board.origins.indices.contains).map {
                        board.origins[$0].title
                    }
                    json["origins"] = titles.isEmpty ? .none : titles.json
                    return json
                }),
        ]
    }
}
