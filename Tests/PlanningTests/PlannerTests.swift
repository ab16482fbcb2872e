import Comparison
import JSON
import Linux
import TestKit
import Testing

@testable import Observation
@testable import Planning

@Suite struct PlannerTests {
    @Test func `a program that reads its input and is always called the same way stands by`() {
        let plan = Examples.plan(Examples.traced())
        #expect(plan.recommended == .standby)
        // 0.7 ms + 2 x 15 ms + (2.4 - 0.4) ms now; 0.5 ms + 2 ms then.
        #expect(plan.now.value?.latency.total == 32_700_000)
        #expect(plan.predicted.value?.latency.total == 2_500_000)
        #expect(plan.speedup == 32_700_000.0 / 2_500_000)
    }

    @Test func `arguments that differ lead to a container`() {
        var program = Examples.traced()
        program.examples.append(.init(arguments: ["/opt/bank/pricer", "-v"]))
        let plan = Examples.plan(program)
        #expect(plan.recommended == .container)
        #expect(plan.reasons.last?.contains("arguments differ") == true)
    }

    @Test func `a script that is mostly start goes to the Runtime API`() {
        var program = Examples.traced()
        program.examples.append(.init(arguments: ["/opt/bank/score.py", "-v"]))
        program.lifetime = Spread([14_000_000])
        let script = ProgramFile.found(.init(form: .script(interpreter: "/usr/bin/env", argument: "python3")))
        let plan = Examples.plan(program, file: script)
        #expect(plan.recommended == .runtime)
        // 0.2 ms + (14 - 0.4) ms - (12.6 - 0.6) ms.
        #expect(plan.predicted.value?.latency.total == 1_800_000)
        var foreign = program
        foreign.identity = .path("/usr/bin/score.py")
        #expect(Examples.plan(foreign, file: script).recommended == .container)
    }

    @Test func `what stays up is a service`() {
        var program = Examples.traced {
            $0.sockets = [.init(family: "inet", type: "stream", address: ":80", action: .listen)]
        }
        program.lifetime = Spread()
        program.unfinished = 1
        #expect(Examples.plan(program).recommended == .service)
    }

    @Test func `what comes once an hour gets a container and nothing that waits`() {
        var program = Examples.traced()
        program.callsPerSecond = 1.0 / 3600
        #expect(Examples.plan(program).recommended == .container)
    }

    @Test func `what a container slows down stays a process`() {
        let small = Examples.traced { $0.inheritedDescriptors[0].isUsed = false }
        var program = small
        program.callers[0].residentBytes = Spread([1 << 20])
        program.lifetime = Spread([400_000])
        var slow = Examples.calibration
        slow.container = .measured(.init(nanoseconds: 3_000_000, samples: 60))
        slow.runtime = .unavailable("not here")
        let plan = Examples.plan(program, calibration: slow)
        #expect(plan.recommended == .process)
        #expect(plan.reasons.last?.contains("in a container a call would take") == true)
    }

    @Test func `no rung that is blocked is ever recommended`() {
        var chance = SeededChance(seed: 5)
        for _ in 0..<3000 {
            var deep = Examples.harmless
            if Bool.random(using: &chance) { deep.files.append(.init(path: "/var/x", actions: [.write])) }
            if Bool.random(using: &chance) {
                deep.inheritedDescriptors[0].isUsed = [true, false, nil].randomElement(using: &chance)!
            }
            if Int.random(in: 0..<5, using: &chance) == 0 { deep.sharedMemory = ["/dev/shm/x"] }
            if Int.random(in: 0..<5, using: &chance) == 0 { deep.terminals = ["/dev/pts/1"] }
            if Int.random(in: 0..<5, using: &chance) == 0 {
                deep.sockets = [.init(family: "inet", type: "stream", address: "", action: .listen)]
            }
            var program = Examples.program(
                calls: Int.random(in: 1..<1000, using: &chance), lifetime: 1 << Int.random(in: 10..<45, using: &chance),
                parentBytes: Bool.random(using: &chance) ? 1 << Int.random(in: 10..<36, using: &chance) : nil)
            if Bool.random(using: &chance) { program.deep = deep }
            if Bool.random(using: &chance) { program.examples.append(.init(arguments: ["x", "y"])) }
            if Int.random(in: 0..<5, using: &chance) == 0 {
                program.lifetime = Spread()
                program.unfinished = program.calls
            }
            let file = [Examples.native, .gone("x"), .notLookedAt("x")].randomElement(using: &chance)!
            let plan = Examples.plan(program, file: file)
            #expect(plan.recommended == .process || plan.blockers(of: plan.recommended).isEmpty, "\(chance)")
            #expect(!plan.reasons.isEmpty)
        }
    }

    @Test func `the same recording gives the same plan`() {
        let one = RecordingPlan(Examples.recording, Examples.calibration) { _ in Examples.native }
        let two = RecordingPlan(Examples.recording, Examples.calibration) { _ in Examples.native }
        #expect(JSONWriter.bytes(one.json) == JSONWriter.bytes(two.json))
        #expect(PlanPage(one).html == PlanPage(two).html)
    }

    @Test func `each prediction is the sum of what it shows`() {
        let plan = Examples.plan(
            Examples.traced(), file: .found(.init(form: .script(interpreter: "/usr/bin/python3", argument: nil))))
        for reading in [plan.now] + PlannedRung.allCases.map({ plan.predictions[$0]! }) {
            guard let prediction = reading.value else { continue }
            for formula in [prediction.latency, prediction.cpu.value, prediction.memory.value].compactMap(\.self) {
                #expect(formula.total == max(0, formula.terms.reduce(0) { $0 + $1.amount }))
                #expect(formula.terms.allSatisfy { formula.text.contains($0.what) })
            }
        }
        #expect(
            plan.predicted.value?.latency.text
                == "500 µs call that a standby answers + 2.0 ms from its exec to its end, beyond those of a program that does nothing "
                + "− 2.4 ms start of python3, which lies behind it = 100 µs")
    }

    @Test func `a rung that was not measured has no prediction, and says why`() {
        var calibration = Examples.calibration
        calibration.standby = .unavailable("only root may start a node")
        let plan = Examples.plan(Examples.traced(), calibration: calibration)
        #expect(plan.predictions[.standby] == .unavailable("only root may start a node"))
        #expect(plan.recommended != .standby)
        let endless = Examples.program { $0.lifetime = Spread() }
        #expect(Examples.plan(endless).now == .unavailable("no call's end was recorded"))
    }

    @Test func `a parent whose size was not seen is left out of the sum, not taken for nothing`() {
        let plan = Examples.plan(Examples.program(parentBytes: nil))
        #expect(plan.now.value?.latency.terms.contains { $0.what.hasPrefix("copying") } == false)
    }

    @Test func `a recording that is cut off, or of another machine, is said to be so`() {
        var recording = Examples.recording
        recording.ending = nil
        recording.header.machine = "elsewhere"
        let plan = RecordingPlan(recording, Examples.calibration) { _ in .notLookedAt("x") }
        #expect(plan.caveats.count == 2)
    }
}

extension Examples {
    /// Two programs, one of them with a name that wants to be markup.
    static let recording: Recording = {
        let header = RecordingHeader(
            mode: .system, machine: "bank7", kernel: "6.1", architecture: "x86_64", start: calibration.at,
            sources: ["ptrace"],
            writer: "test")
        let processes = (1...20).map { number in
            RecordedProcess(
                number: number, pid: Int32(100 + number),
                parent: .init(pid: 7, program: "/opt/engine", residentBytes: 2 << 30), uid: 0,
                fork: number * 1_000_000,
                execs: [
                    .init(
                        at: number * 1_000_000 + 5000, program: number % 2 == 0 ? "/opt/pricer" : hostile,
                        arguments: [hostile], directory: "/")
                ],
                exit: .init(at: number * 1_000_000 + 3_000_000, status: .exited(0)),
                usage: .init(cpuNanoseconds: 900_000, peakMemoryBytes: 3 << 20))
        }
        return Recording(
            header: header, processes: processes, ending: .init(at: 60_000_000, reason: .interrupted))
    }()

    static let hostile = "/tmp/</script><script>alert(1)</script>&\"'\n\u{202E}\u{10F7FF}"
}
