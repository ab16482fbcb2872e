import Linux

/// Measures the same work on several rungs, one after the other, and puts the figures together.
package struct ComparisonRun: Sendable {
    package struct Settings: Sendable {
        /// Calls whose latency is taken, one at a time.
        package var count: Int
        /// Calls at once when throughput is taken.
        package var concurrency: Int
        /// Calls before anything is measured.
        package var warmUp: Int
        /// What all calls together should give; nil: what the first rung gives.
        package var expected: [UInt8]?
        /// The environment of the probe.
        package var probeEnvironment: [String]

        package init(
            count: Int, concurrency: Int, warmUp: Int = 3, expected: [UInt8]? = nil, probeEnvironment: [String] = []
        ) {
            self.count = count
            self.concurrency = concurrency
            self.warmUp = warmUp
            self.expected = expected
            self.probeEnvironment = probeEnvironment
        }
    }

    private let workload: WorkloadInput
    private let settings: Settings
    private let progress: @Sendable (String) -> Void

    /// - Parameter progress: takes a short text about what is being done.
    package init(_ workload: WorkloadInput, _ settings: Settings, progress: @escaping @Sendable (String) -> Void) {
        self.workload = workload
        self.settings = settings
        self.progress = progress
    }

    /// Measures every rung; a rung that cannot run the program is an error, since a table without it would mislead.
    package func measure(
        _ rungs: [any ComparedRung], beside others: [Measurement] = []
    ) async throws(ComparisonError) -> [Measurement] {
        var measurements = others
        var reference = settings.expected.map { divided($0) }
        for rung in rungs {
            progress("\(rung.label.title): getting ready")
            do {
                try await rung.prepare()
                let (measurement, outputs) = try await measure(rung, reference: reference)
                measurements.append(measurement)
                if reference == nil { reference = outputs }
            } catch {
                await rung.close()
                throw ComparisonError("\(rung.label.title): \(error)")
            }
            await rung.close()
        }
        return measurements
    }

    private func measure(
        _ rung: any ComparedRung, reference: [[UInt8]]?
    ) async throws(ComparisonError) -> (Measurement, [[UInt8]]) {
        var measurement = Measurement(rung: rung.label)
        for index in 0..<settings.warmUp { _ = try await rung.call(workload.input(ofCall: index)) }
        let samples = try await oneByOne(rung)
        fill(&measurement, samples)
        let outputs = samples.map(\.output)
        measurement.results =
            reference.map { ResultAgreement(outputs: compared(outputs, with: $0), reference: $0) } ?? .reference
        measurement.callsPerSecond = .measured(try await throughput(rung))
        progress("\(rung.label.title): memory")
        measurement.idleBytesPerInstance = await rung.idleBytes()
        measurement.busyBytesPerInstance = await busy(rung)
        progress("\(rung.label.title): isolation")
        measurement.isolation = await isolation(rung)
        return (measurement, outputs)
    }

    private func oneByOne(_ rung: any ComparedRung) async throws(ComparisonError) -> [CallSample] {
        var samples: [CallSample] = []
        for index in 0..<settings.count {
            if index % 10 == 0 { progress("\(rung.label.title): call \(index + 1) of \(settings.count)") }
            samples.append(try await rung.call(workload.input(ofCall: index)))
        }
        return samples
    }

    private func fill(_ measurement: inout Measurement, _ samples: [CallSample]) {
        measurement.callCount = samples.count
        if let start = Distribution(nanoseconds: samples.map(\.startNanoseconds)) { measurement.start = .measured(start) }
        if let call = Distribution(nanoseconds: samples.map(\.callNanoseconds)) { measurement.call = .measured(call) }
        let counted = samples.compactMap(\.cpuMicroseconds)
        if counted.count == samples.count, !counted.isEmpty {
            measurement.cpuMicrosecondsPerCall = .measured(Double(counted.reduce(0, +)) / Double(counted.count))
        } else {
            measurement.cpuMicrosecondsPerCall = .unavailable("not counted for every call")
        }
        measurement.failures = samples.enumerated().compactMap { index, sample in
            sample.failure.map { CallFailure(call: index + 1, reason: $0) }
        }
    }

    /// The same calls again, as many at once as there are lanes.
    private func throughput(_ rung: any ComparedRung) async throws(ComparisonError) -> Double {
        let lanes = settings.concurrency
        progress("\(rung.label.title): \(settings.count) calls, \(lanes) at once")
        let began = Clock.monotonicNanoseconds()
        let failure = await withTaskGroup(of: ComparisonError?.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    for index in stride(from: lane, to: settings.count, by: lanes) {
                        do throws(ComparisonError) {
                            _ = try await rung.call(workload.input(ofCall: index))
                        } catch { return error }
                    }
                    return nil
                }
            }
            var first: ComparisonError?
            for await failure in group where first == nil { first = failure }
            return first
        }
        if let failure { throw failure }
        return Double(settings.count) * 1e9 / Double(Clock.monotonicNanoseconds() - began)
    }

    /// The largest of a few calls, since a short one may end between two looks.
    private func busy(_ rung: any ComparedRung) async -> Reading<Int> {
        var readings: [Reading<Int>] = []
        for index in 0..<5 { readings.append(await rung.busyBytes(workload.input(ofCall: index))) }
        return readings.compactMap(\.value).max().map { .measured($0) } ?? readings[0]
    }

    private func isolation(_ rung: any ComparedRung) async -> Reading<[IsolationFinding]> {
        do {
            let output = try await rung.probe(settings.probeEnvironment)
            let reports = try ProbeOutput.parse(output)
            guard !reports.isEmpty else { return .unavailable("the probe said nothing") }
            return .measured(ProbeOutput.completed(reports, missing: "the probe was ended before it came to this"))
        } catch { return .unavailable("\(error)") }
    }

    // Results.

    /// What is expected, a piece for each call where that can be told: a line each.
    private func divided(_ expected: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var begin = 0
        for (index, byte) in expected.enumerated() where byte == 10 {
            lines.append(Array(expected[begin...index]))
            begin = index + 1
        }
        if begin < expected.count { lines.append(Array(expected[begin...])) }
        return lines.count == settings.count ? lines : [expected]
    }

    /// Outputs in pieces like the reference's.
    private func compared(_ outputs: [[UInt8]], with reference: [[UInt8]]) -> [[UInt8]] {
        outputs.count == reference.count ? outputs : [Array(outputs.joined())]
    }
}
