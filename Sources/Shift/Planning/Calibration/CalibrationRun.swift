package import Comparison
package import Linux
import Spawn

/// Measures a calibration: each figure many times, one after the other, and the median of it.
package struct CalibrationRun: Sendable {
    /// What a node has to do: its rungs are driven by whoever can start one. nil: there is none, and why.
    package struct NodeFigures: Sendable {
        package var container: any ComparedRung
        package var standby: any ComparedRung
        package var runtime: any ComparedRung
        /// Deploys the function anew and calls it once: the first call.
        package var firstCall: @Sendable () async throws(ComparisonError) -> CallSample

        package init(
            container: any ComparedRung, standby: any ComparedRung, runtime: any ComparedRung,
            firstCall: @escaping @Sendable () async throws(ComparisonError) -> CallSample
        ) {
            self.container = container
            self.standby = standby
            self.runtime = runtime
            self.firstCall = firstCall
        }
    }

    package enum Node: Sendable {
        case figures(NodeFigures)
        case none(String)
    }

    /// Calls for each figure.
    package var count = 60
    /// First calls and large parents take longer: so many of each.
    package var fewCount = 9
    /// Sizes of parents, bytes, of which those are measured that leave half of the free memory free.
    package var parentSizes = [0, 256 << 20, 1 << 30]
    private let progress: @Sendable (String) -> Void

    package init(progress: @escaping @Sendable (String) -> Void = { _ in }) { self.progress = progress }

    package func measure(_ node: Node, now: Timestamp) async throws(ComparisonError) -> Calibration {
        progress("spawning a program that does nothing")
        let empty = "/bin/true"
        let spawned = try await samples(SpawnedRung(empty, [], copiesMemory: false, ownExecutable: empty), count)
        let spawn = timing(spawned)
        let life = Self.median(spawned.map { $0.callNanoseconds - ($0.startNanoseconds ?? 0) })
        let forks = try await measureForks(empty)
        let interpreters = await measureInterpreters()
        var calibration = Calibration(
            machine: await Self.facts(), at: now, spawn: spawn, emptyLifeNanoseconds: life, forks: forks,
            container: .unavailable(""), standby: .unavailable(""), standbyIdleBytes: .unavailable(""),
            runtime: .unavailable(""), runtimeFirst: .unavailable(""), interpreters: interpreters)
        switch node {
        case .none(let why):
            calibration.container = .unavailable(why)
            calibration.standby = .unavailable(why)
            calibration.standbyIdleBytes = .unavailable(why)
            calibration.runtime = .unavailable(why)
            calibration.runtimeFirst = .unavailable(why)
        case .figures(let figures):
            progress("a container for each call")
            calibration.container = await reading(figures.container)
            progress("calls that a standby answers")
            calibration.standby = await reading(figures.standby) {
                calibration.standbyIdleBytes = await figures.standby.idleBytes()
            }
            progress("calls of a function on the Runtime API")
            calibration.runtime = await reading(figures.runtime)
            progress("first calls of a function")
            calibration.runtimeFirst = await firstCalls(figures)
        }
        return calibration
    }

    // MARK: - Parents of different sizes

    private func measureForks(_ program: String) async throws(ComparisonError) -> [Calibration.ForkTiming] {
        let rung = try SpawnedRung(program, [], copiesMemory: true, ownExecutable: program)
        let free = await Self.availableBytes()
        var forks: [Calibration.ForkTiming] = []
        for size in parentSizes where size < free / 2 {
            progress("fork and exec from a parent of \(FloatingText.bytes(size))")
            let ballast = ResidentMemory(bytes: size)
            let found = try await samples(rung, size == 0 ? count : fewCount)
            withExtendedLifetime(ballast) {}
            forks.append(Calibration.ForkTiming(residentBytes: size, timing: timing(found)))
        }
        return forks
    }

    // MARK: - Interpreters

    /// A program that does nothing, in each language.
    private static let nothing: [(name: String, arguments: [String])] = [
        ("sh", ["-c", ":"]), ("bash", ["-c", ":"]), ("dash", ["-c", ":"]), ("perl", ["-e", "0"]),
        ("python3", ["-c", "pass"]),
        ("node", ["-e", "0"]), ("ruby", ["-e", "0"]), ("php", ["-r", ""]), ("lua", ["-e", ""]), ("awk", ["BEGIN {}"]),
        ("tclsh", ["/dev/null"]),
    ]

    private func measureInterpreters() async -> [Calibration.InterpreterTiming] {
        var found: [Calibration.InterpreterTiming] = []
        for (name, arguments) in Self.nothing {
            guard
                let path = ["/usr/local/bin/", "/usr/bin/", "/bin/"].map({ $0 + name }).first(where: {
                    Files.isExecutableFile($0)
                })
            else { continue }
            progress("starting \(name)")
            guard let rung = try? SpawnedRung(path, arguments, copiesMemory: false, ownExecutable: path),
                let measured = try? await samples(rung, fewCount * 2)
            else { continue }
            found.append(Calibration.InterpreterTiming(name: name, path: path, timing: timing(measured)))
        }
        return found
    }

    // MARK: - The node's

    private func reading(
        _ rung: any ComparedRung, whilePrepared: () async -> Void = {}
    ) async -> Reading<Calibration.Timing> {
        do {
            try await rung.prepare()
            let found = try await samples(rung, count)
            await whilePrepared()
            await rung.close()
            return .measured(timing(found))
        } catch {
            await rung.close()
            return .unavailable("\(error)")
        }
    }

    private func firstCalls(_ figures: NodeFigures) async -> Reading<Calibration.Timing> {
        do {
            var found: [CallSample] = []
            for _ in 0..<fewCount { found.append(try await figures.firstCall()) }
            return .measured(timing(found))
        } catch { return .unavailable("\(error)") }
    }

    // MARK: - Samples

    private func samples(_ rung: any ComparedRung, _ count: Int) async throws(ComparisonError) -> [CallSample] {
        var samples: [CallSample] = []
        // What the first calls find cold is no figure of the machine's.
        for index in 0..<(count + 3) {
            let sample = try await rung.call([])
            if let failure = sample.failure { throw ComparisonError("\(rung.label.title): \(failure)") }
            if index >= 3 { samples.append(sample) }
        }
        return samples
    }

    private func timing(_ samples: [CallSample]) -> Calibration.Timing {
        let cpu = samples.compactMap(\.cpuMicroseconds)
        return Calibration.Timing(
            nanoseconds: Self.median(samples.map(\.callNanoseconds)), samples: samples.count,
            cpuNanoseconds: cpu.isEmpty ? nil : cpu.reduce(0, +) * 1000 / cpu.count)
    }

    private static func median(_ values: [Int]) -> Int { Distribution(nanoseconds: values)?.p50.nanoseconds ?? 0 }

    private static func facts() async -> MachineFacts {
        (try? await BlockingPool.shared.run { () throws(SystemError) in MachineFacts.ofThisMachine() })
            ?? MachineFacts.ofThisMachine()
    }

    private static func availableBytes() async -> Int {
        let text = try? await BlockingPool.shared.run { () throws(SystemError) in try Files.readText("/proc/meminfo") }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}
