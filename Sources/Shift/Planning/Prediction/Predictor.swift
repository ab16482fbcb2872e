import Comparison
import Observation

/// Predicts what a call of a program costs on each rung: sums of what was recorded of it and what was measured of this
/// machine, and nothing else.
///
/// Invariants
/// 1. What is not known is no number: a figure that was not measured gives no prediction, and the reason why.
///    (test: `a rung that was not measured has no prediction, and says why`)
/// 2. Every prediction is the sum of its terms. (test: `each prediction is the sum of what it shows`)
struct Predictor {
    let program: RecordedProgram
    let calibration: Calibration
    /// The interpreter that starts before the program does: of a script, or the program itself.
    let interpreter: Calibration.InterpreterTiming?

    init(_ subject: PlanSubject, _ calibration: Calibration) {
        program = subject.program
        self.calibration = calibration
        var paths = [subject.program.interpreter, subject.program.identity.path].compactMap(\.self)
        if case .script(let path, let argument)? = subject.file.facts?.form {
            // "#!/usr/bin/env python3": the interpreter is what env is asked for.
            paths.insert(path.hasSuffix("/env") ? argument ?? path : path, at: 0)
        }
        interpreter = paths.lazy.compactMap { calibration.interpreter(of: $0) }.first
    }

    /// How it is today: forked by its callers.
    func now() -> Reading<Prediction> {
        let line = calibration.forkLine
        var start = [Formula.Term("fork and exec of a program that does nothing", line.baseNanoseconds)]
        if let copy = forkCopy(line.perGiBNanoseconds) { start.append(copy) }
        return work.map { work in
            Prediction(
                latency: Formula(.nanoseconds, start + [work]), cpu: cpu([forkCopy(line.perGiBNanoseconds)]),
                memory: memory(
                    latency: Formula(.nanoseconds, start + [work]).total, beside: pageTables(line.perGiBNanoseconds)))
        }
    }

    func on(_ rung: PlannedRung) -> Reading<Prediction> {
        switch rung {
        case .process: return called(.measured(calibration.spawn), "start without fork's copy")
        case .container: return called(calibration.container, "container that does nothing", cpu: [containerCPU])
        case .standby:
            return called(
                calibration.standby, "call that a standby answers", saved: startUp, cpu: [startUpCPU],
                holds: standbyMemory)
        case .runtime:
            return called(
                calibration.runtime, "call of a function that waits", saved: startUp, cpu: [startUpCPU, emptyCPU],
                holds: .measured(
                    Formula.Term("for an instance that waits, at the program's peak", Double(program.peakMemory.p50))))
        case .service:
            return .unavailable(
                "a service answers over a connection, in its own protocol: what a call takes then is not recorded")
        }
    }

    // MARK: - Terms

    /// What the program does beyond being loaded: the median life time without that of a program that does nothing.
    private var work: Reading<Formula.Term> {
        guard !program.lifetime.isEmpty else { return .unavailable("no call's end was recorded") }
        let amount = max(0, program.lifetime.p50 - calibration.emptyLifeNanoseconds)
        return .measured(
            Formula.Term("from its exec to its end, beyond those of a program that does nothing", Double(amount)))
    }

    /// Resident size of its callers, the median over those where it was seen.
    var parentBytes: Int? {
        var all = Spread()
        for caller in program.callers { all.add(caller.residentBytes) }
        return all.isEmpty ? nil : all.p50
    }

    private func forkCopy(_ perGiB: Double) -> Formula.Term? {
        guard let bytes = parentBytes else { return nil }
        let size = FloatingText.bytes(bytes)
        let rate = FloatingText.duration(nanoseconds: perGiB)
        return Formula.Term(
            "copying the page tables of a parent of \(size) (\(rate) for a GiB)",
            perGiB * Double(bytes) / Calibration.gibibyte)
    }

    /// What a process that waits has behind it: its interpreter's start. What it imports is not known, and not counted.
    private var startUp: Formula.Term? {
        guard let interpreter else { return nil }
        let amount = max(0, interpreter.timing.nanoseconds - calibration.spawn.nanoseconds)
        return Formula.Term(
            "start of \(interpreter.name), which lies behind it", -Double(min(amount, program.lifetime.p50)))
    }

    private var startUpCPU: Formula.Term? {
        guard let interpreter, let cpu = interpreter.timing.cpuNanoseconds, let empty = calibration.spawn.cpuNanoseconds
        else {
            return nil
        }
        return Formula.Term("start of \(interpreter.name), which lies behind it", -Double(max(0, cpu - empty)))
    }

    /// A process that stays is loaded once.
    private var emptyCPU: Formula.Term? {
        calibration.spawn.cpuNanoseconds.map { Formula.Term("loading a program, which lies behind it", -Double($0)) }
    }

    private var containerCPU: Formula.Term? {
        guard let inside = calibration.container.value?.cpuNanoseconds, let empty = calibration.spawn.cpuNanoseconds
        else {
            return nil
        }
        return Formula.Term("entering a container", Double(max(0, inside - empty)))
    }

    /// Page tables of a child until its exec: an entry takes 8 bytes and describes 4 KiB.
    private func pageTables(_ perGiB: Double) -> Formula.Term? {
        guard let bytes = parentBytes, let copy = forkCopy(perGiB) else { return nil }
        let share = min(1, program.callsPerSecond * copy.amount / 1e9)
        return Formula.Term("of page tables copied, as long as a fork lasts", share * Double(bytes) / 512)
    }

    private var standbyMemory: Reading<Formula.Term> {
        calibration.standbyIdleBytes.map {
            Formula.Term("for a standby that waits (measured of cat: this program's own is not known)", Double($0))
        }
    }

    // MARK: - Sums

    private func called(
        _ timing: Reading<Calibration.Timing>, _ what: String, saved: Formula.Term? = nil,
        cpu extra: [Formula.Term?] = [],
        holds: Reading<Formula.Term>? = nil
    ) -> Reading<Prediction> {
        switch timing {
        case .unavailable(let why): return .unavailable(why)
        case .measured(let timing):
            return work.map { work in
                let terms = [Formula.Term(what, Double(timing.nanoseconds)), work, saved].compactMap(\.self)
                let latency = Formula(.nanoseconds, terms)
                return Prediction(
                    latency: latency, cpu: cpu(extra), memory: memory(latency: latency.total, holds: holds))
            }
        }
    }

    private func cpu(_ extra: [Formula.Term?]) -> Reading<Formula> {
        guard let mean = program.cpu.mean else { return .unavailable("its processor time was not recorded") }
        return .measured(Formula(.nanoseconds, [Formula.Term("of the program, mean", mean)] + extra.compactMap(\.self)))
    }

    /// Little's law: as many at once, on average, as come in a second times the seconds that each takes.
    private func memory(
        latency: Double, beside term: Formula.Term? = nil, holds: Reading<Formula.Term>? = nil
    ) -> Reading<Formula> {
        guard !program.peakMemory.isEmpty else { return .unavailable("its memory was not recorded") }
        let atOnce = program.callsPerSecond * latency / 1e9
        let peak = FloatingText.bytes(program.peakMemory.p50)
        var terms = [
            Formula.Term(
                "for \(FloatingText.fixed(atOnce, decimals: 3)) calls at once of \(peak) each",
                atOnce * Double(program.peakMemory.p50))
        ]
        if let term { terms.append(term) }
        switch holds {
        case nil: break
        case .measured(let held)?: terms.append(held)
        case .unavailable(let why)?: return .unavailable(why)
        }
        return .measured(Formula(.bytes, terms))
    }
}

extension Reading {
    /// What is made of a measured value; the reason stays.
    func map<Other>(_ make: (Value) -> Other) -> Reading<Other> {
        switch self {
        case .measured(let value): .measured(make(value))
        case .unavailable(let why): .unavailable(why)
        }
    }
}
