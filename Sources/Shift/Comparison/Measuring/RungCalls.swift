import Linux

// Calls one after the other: how long they take, what they cost, and whether they give what the other rungs give.
extension RungMeasurement {
    private struct Repetition {
        var start = LatencyHistogram()
        var latency = LatencyHistogram()
        var cpu: [Int] = []
        var calls = 0
    }

    /// Calls in a row that could not be made, and since when.
    private struct Silence {
        var calls = 0
        var began = Clock.monotonicNanoseconds()

        mutating func record(_ sample: CallSample) {
            guard sample.failure?.kind != .unreachable else {
                calls += 1
                return
            }
            (calls, began) = (0, Clock.monotonicNanoseconds())
        }
    }

    /// Calls one after the other; nil: they go too wrong for load to make sense.
    func oneAtATime(_ given: Given, _ found: inout Found) async throws(ComparisonError) -> SaturationRule? {
        try await warmUp()
        let fewest = comparedCalls
        let calls = workload.calls(max(fewest, settings.mostCalls))
        var repetitions: [Repetition] = []
        var silence = Silence()
        defer { fill(&found, repetitions) }
        for number in 1...settings.repetitions {
            var repetition = Repetition()
            let until = Clock.monotonicNanoseconds() + settings.repetitionNanoseconds
            // Every input is given once at least; after that time decides, unless calls are counted.
            let least = number == 1 ? fewest : settings.count ?? 1
            for (index, one) in calls.enumerated() {
                if index >= least, settings.count != nil || Clock.monotonicNanoseconds() > until { break }
                if index % 16 == 0 { say("repetition \(number) of \(settings.repetitions), call \(index + 1)") }
                try goOn()
                let sample = try await call(one)
                take(sample, index, number, &repetition, &found)
                look(sample, one, isUnderLoad: false)
                silence.record(sample)
                if let hopeless = hopeless(found) ?? hopeless(silence) {
                    repetitions.append(repetition)
                    found.report.incomplete = hopeless
                    found.report.results = agreement(found, given)
                    return nil
                }
            }
            repetitions.append(repetition)
            if number == 1 { found.report.results = agreement(found, given) }
        }
        guard let p90 = Statistics.summary(repetitions.map(\.latency))?.p90.value else {
            found.report.incomplete = "every call failed, so nothing was measured under load"
            return nil
        }
        return SaturationRule(unloadedP90: Int(p90), failsUnloaded: !found.report.failures.isEmpty)
    }

    /// Calls of the first repetition whose results are compared: every input once at least.
    private var comparedCalls: Int { max(settings.count ?? 0, workload.callsForAllInputs) }

    private func take(
        _ sample: CallSample, _ index: Int, _ number: Int, _ repetition: inout Repetition, _ found: inout Found
    ) {
        found.report.calls += 1
        if number == 1, index < comparedCalls { found.outputs.append(sample.output) }
        if let fault = sample.failure {
            if number == 1 { found.failed.insert(index) }
            // What failed took another way: its time is no time of a call.
            found.report.failures.add(CallFailure(call: index + 1, kind: fault.kind, reason: fault.reason))
            return
        }
        repetition.calls += 1
        if let start = sample.startNanoseconds { repetition.start.record(start) }
        repetition.latency.record(sample.callNanoseconds)
        if let cpu = sample.cpuMicroseconds { repetition.cpu.append(cpu) }
    }

    /// Hanging calls take their whole limit each: a few of them say as much as many.
    private func hopeless(_ found: Found) -> String? {
        let hangs = found.report.failures.kinds.first { $0.kind == .hang }?.count ?? 0
        guard hangs >= 3, hangs * 2 > found.report.calls else { return nil }
        return
            "\(hangs) of \(found.report.calls) calls did not end within \(FloatingText.duration(nanoseconds: settings.timeout)); "
            + "no more were made"
    }

    /// Who was not reached for as long as a repetition lasts is not asked for every input that is left.
    private func hopeless(_ silence: Silence) -> String? {
        guard silence.calls >= 3,
            Clock.monotonicNanoseconds() - silence.began >= settings.repetitionNanoseconds
        else { return nil }
        return "the last \(silence.calls) calls could not be made; no more were made"
    }

    private func warmUp() async throws(ComparisonError) {
        var warmUp = settings.warmUp
        let until = Clock.monotonicNanoseconds() + 3 * settings.repetitionNanoseconds
        say("warming up")
        for one in workload.calls(warmUp.limit) {
            try goOn()
            let sample = try await call(one)
            // Failures are counted where calls are; one that hangs would only be waited for.
            if sample.failure?.kind == .hang { return }
            if warmUp.record(sample.callNanoseconds) != .goesOn || Clock.monotonicNanoseconds() > until { return }
        }
    }

    private func fill(_ found: inout Found, _ repetitions: [Repetition]) {
        let times = "\(repetitions.reduce(0) { $0 + $1.calls }) calls one at a time in \(repetitions.count) repetitions"
        if let start = Statistics.summary(repetitions.map(\.start)) {
            found.report.start = .measured(
                start, method: "from the request until the program could run with its input; \(times)")
        } else if !repetitions.isEmpty {
            found.report.start = .unavailable(
                repetitions.allSatisfy(\.latency.isEmpty)
                    ? "no call ended well" : "nobody tells when the program could run")
        }
        if let latency = Statistics.summary(repetitions.map(\.latency)) {
            found.report.latency = .measured(
                latency, method: "from the request until the result was complete; \(times)")
        } else if !repetitions.isEmpty {
            found.report.latency = .unavailable("no call ended well")
        }
        let counted = repetitions.filter { !$0.cpu.isEmpty && $0.cpu.count == $0.calls }
        if counted.count == repetitions.count,
            let cpu = Statistics.estimate(counted.map { Statistics.mean($0.cpu.map(Double.init)) })
        {
            found.report.cpuPerCall = .measured(
                cpu,
                method:
                    "user and system time of the program and those that it waited for, mean of a repetition; \(times)")
        } else {
            found.report.cpuPerCall = .unavailable("this rung does not count the processor time of each call")
        }
    }

    /// What is told of all calls together where it is not told of each.
    func count(_ report: inout RungReport) async {
        guard report.cpuPerCall.value == nil, report.latency.value != nil else { return }
        switch await main.meanCPUMicroseconds() {
        case .measured(let mean):
            report.cpuPerCall =
                Statistics.estimate([mean]).map {
                    .measured(
                        $0,
                        method:
                            "processor time of all calls one at a time, as the node counts it, divided by their number\(ofMain)"
                    )
                } ?? report.cpuPerCall
        case .unavailable(let reason): report.cpuPerCall = .unavailable(reason)
        }
    }

    // MARK: - Results

    private func agreement(_ found: Found, _ given: Given) -> ResultAgreement {
        guard let reference = given.reference else { return .reference }
        // What is expected may be one piece for all calls; of a rung that was ended early only what it gave can be looked at.
        if reference.count == 1, found.outputs.count > 1 {
            return ResultAgreement(
                outputs: [Array(found.outputs.prefix(workload.callsForAllInputs).joined())], reference: reference)
        }
        let count = found.report.incomplete == nil ? reference.count : found.outputs.count
        var outputs = Array(found.outputs.prefix(count))
        let failed = outputs.indices.filter { found.failed.contains($0) }
        if failed.count == outputs.count { return .unavailable("no call ended well") }
        for index in failed where index < reference.count { outputs[index] = reference[index] }
        return ResultAgreement(outputs: outputs, reference: Array(reference.prefix(count)))
    }
}
