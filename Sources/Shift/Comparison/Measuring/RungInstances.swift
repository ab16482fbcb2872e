import Linux

// What instances are like that wait, many of them, killed, and from within.
extension RungMeasurement {
    /// Calls that are watched for the memory that they use, at least three of them, and how long that may take.
    private static let watchedCalls = 20
    private static let watchedNanoseconds = 300_000_000

    func memory(_ report: inout RungReport) async {
        say("memory")
        report.idleMemory = await several("\(MemoryOfProcess.method)\(ofMain)") { await main.idleBytes() }
        guard report.incomplete == nil else {
            report.busyMemory = .unavailable("its calls fail")
            return
        }
        let idle = report.idleMemory.value?.value ?? 0
        report.busyMemory = await several("the largest VmHWM seen in /proc/PID/status during a call\(ofMain)") {
            // A short call may end between two looks, or while the one who looks waits for a processor: the largest of many.
            var readings: [Reading<Int>] = []
            let limit = Clock.monotonicNanoseconds() + Self.watchedNanoseconds
            repeat { readings.append(await main.busyBytes(mainInput)) } while readings.count < Self.watchedCalls
                && (readings.count < 3 || Clock.monotonicNanoseconds() < limit)
            guard let most = readings.compactMap(\.value).max() else { return readings[0] }
            // Less than while it waits: what was seen is a program that had hardly begun.
            return Double(most) < idle
                ? .unavailable("calls ended before their memory could be looked at, on a machine this busy") : .measured(most)
        }
    }

    private func several(_ method: String, _ read: () async -> Reading<Int>) async -> Quantity<Estimate> {
        var values: [Double] = []
        var reason = RungReport.notMeasured
        for _ in 0..<settings.repetitions {
            switch await read() {
            case .measured(let bytes): values.append(Double(bytes))
            case .unavailable(let why): reason = why
            }
        }
        return Statistics.estimate(values).map { .measured($0, method: method) } ?? .unavailable(reason)
    }

    func density(_ report: inout RungReport) async {
        let machine = MachineReading.statement()
        let reserve = DensityEstimate.reserve(memoryBytes: machine.memoryBytes)
        var points: [Density.Point] = []
        var stopped = "the limit of \(settings.densityLimit) instances"
        var method = ""
        for count in DensityEstimate.counts(upTo: settings.densityLimit) {
            say("\(count) instances")
            if let last = points.last, last.bytes / last.instances * count > MachineReading.availableBytes() - reserve {
                stopped = "\(FloatingText.bytes(reserve)) of memory are left free"
                break
            }
            do throws(ComparisonError) {
                try goOn()
                let held = try await main.hold(count)
                let reading = await held.memoryBytes()
                method = held.method
                await evenWhenCancelled { await held.release() }
                guard let bytes = reading.value else { throw ComparisonError(reading.reason ?? "") }
                points.append(Density.Point(instances: count, bytes: bytes))
            } catch {
                stopped = error.description
                break
            }
        }
        guard !points.isEmpty else {
            report.density = .unavailable(stopped)
            return
        }
        let density = DensityEstimate.density(
            points, stopped: stopped, available: machine.availableBytes, memoryBytes: machine.memoryBytes)
        report.density = .measured(density, method: "instances that wait for a call; \(method)\(ofMain)")
    }

    // MARK: - Scale and recovery

    func scale(_ report: inout RungReport) async {
        say("scaling to \(settings.scaleTo)")
        var times: [Double] = []
        for _ in 0..<settings.repetitions {
            do throws(ComparisonError) {
                try goOn()
                let began = Clock.monotonicNanoseconds()
                let held = try await main.hold(settings.scaleTo)
                times.append(Double(Clock.monotonicNanoseconds() - began))
                await evenWhenCancelled { await held.release() }
            } catch {
                report.scale = .unavailable(error.description)
                return
            }
        }
        guard let time = Statistics.estimate(times) else { return }
        report.scale = .measured(
            ScaleUp(instances: settings.scaleTo, time: time),
            method: "from the request for \(settings.scaleTo) instances until all of them wait for a call\(ofMain)")
    }

    func recovery(_ report: inout RungReport) async {
        say("recovery from a kill")
        var times: [Double] = []
        for _ in 0..<settings.repetitions {
            do throws(ComparisonError) {
                try goOn()
                let killed = try await main.killInstance()
                let limit = HangWatch.deadline(after: settings.timeout)
                while true {
                    let sample = try? await main.call(mainInput, limit: settings.timeout)
                    if let sample, sample.failure == nil { break }
                    guard Clock.monotonicNanoseconds() < limit else {
                        throw ComparisonError("no call was answered after the kill")
                    }
                    try goOn()
                }
                times.append(Double(Clock.monotonicNanoseconds() - killed))
            } catch {
                report.recovery = .unavailable(error.description)
                return
            }
        }
        guard let time = Statistics.estimate(times) else { return }
        report.recovery = .measured(
            time,
            method:
                "from kill -9 of an instance that waits until the next call had its result, calls being repeated until one has\(ofMain)"
        )
    }

    // MARK: - Isolation

    func isolation() async -> Quantity<ReportList<IsolationFinding>> {
        do {
            let output = try await main.probe(settings.probeEnvironment)
            let reports = try ProbeOutput.parse(output)
            guard !reports.isEmpty else { return .unavailable("the probe said nothing") }
            return .measured(
                ReportList(ProbeOutput.completed(reports, missing: "the probe was ended before it came to this")),
                method: "a probe that was run in the program's place, and tried")
        } catch { return .unavailable("\(error)") }
    }
}

extension Reading {
    /// Why there is no value.
    fileprivate var reason: String? {
        if case .unavailable(let reason) = self { return reason }
        return nil
    }
}
