import JSON
import KubeObjects
import Linux
import TestKit
import Testing

@testable import Pods

/// A machine against a node that fails at random, at random times: what must always hold is looked at after each event.
@Suite(.timeLimit(.minutes(2))) struct PodSimulationTests {
    /// What would be true of the world if the node did what it was told.
    struct World {
        var chance: SeededChance
        var machine: PodMachine
        let plan: PodPlan
        var now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)
        /// Attempts under way by container: asked for, or running.
        var starting: [String: Int] = [:]
        var running: [String: Int] = [:]
        var signalled: Set<String> = []
        var used: Set<String> = []
        /// Answers that are on their way.
        var pending: [PodMachine.Event] = []
        var isDeleted = false
        var isFinished = false
        var wasTornDown = false
        var problems: [String] = []

        init(seed: UInt64) {
            chance = SeededChance(seed: seed)
            plan = MachineStage.plan(Self.spec(&chance))
            machine = PodMachine(plan, startTime: now)
        }

        static func spec(_ chance: inout SeededChance) -> JSONValue {
            func container(_ name: String) -> JSONValue {
                var json: JSONValue = ["name": .string(name), "image": "i"]
                for key in ["startupProbe", "livenessProbe", "readinessProbe"]
                where Int.random(in: 0..<4, using: &chance) == 0 {
                    json[key] = [
                        "periodSeconds": 1, "failureThreshold": .integer(Int64.random(in: 1...3, using: &chance)),
                    ]
                }
                if Int.random(in: 0..<4, using: &chance) == 0 {
                    json["lifecycle"] = ["preStop": ["exec": ["command": ["x"]]]]
                }
                if Int.random(in: 0..<5, using: &chance) == 0 {
                    json["lifecycle", "postStart"] = ["exec": ["command": ["x"]]]
                }
                return json
            }
            var initial: [JSONValue] = []
            for index in 0..<Int.random(in: 0...3, using: &chance) {
                var one = container("i\(index)")
                if Bool.random(using: &chance) { one["restartPolicy"] = "Always" }
                initial.append(one)
            }
            let main = (0..<Int.random(in: 1...3, using: &chance)).map { container("c\($0)") }
            var spec: JSONValue = [
                "initContainers": .array(initial), "containers": .array(main), "terminationGracePeriodSeconds": 3,
            ]
            spec["restartPolicy"] = .string(["Always", "OnFailure", "Never"].randomElement(using: &chance)!)
            if Int.random(in: 0..<4, using: &chance) == 0 { spec["activeDeadlineSeconds"] = 100 }
            return spec
        }

        mutating func send(_ event: PodMachine.Event) {
            for action in machine.handle(event, now: now) { take(action) }
            check()
        }

        private mutating func take(_ action: PodMachine.Action) {
            if isFinished { problems.append("\(action) after the end") }
            switch action {
            case .prepare: answer(.prepared(addresses: ["10.0.0.1"]), or: .prepareFailed("no"))
            case .start(let name, let attempt): start(name, attempt)
            case .postStart(let name, let attempt):
                answer(
                    .postStartDone(name, attempt: attempt, failure: nil),
                    or: .postStartDone(name, attempt: attempt, failure: "no"))
            case .preStop(let name, let attempt): pending.append(.preStopDone(name, attempt: attempt))
            case .signal(let name, let attempt, _), .kill(let name, let attempt):
                guard running[name] == attempt else { return }
                signalled.insert(name)
            case .probe(let name, let attempt, let kind, let number):
                let isSuccess = Int.random(in: 0..<5, using: &chance) > 0
                pending.append(
                    .probed(name, attempt: attempt, kind, number: number, isSuccess: isSuccess, message: "m"))
            case .withdraw: pending.append(.withdrawn)
            case .tearDown:
                if !running.isEmpty || !starting.isEmpty { problems.append("torn down while \(running) \(starting)") }
                wasTornDown = true
                pending.append(.tornDown)
            case .finish:
                if !running.isEmpty || !starting.isEmpty || !wasTornDown { problems.append("finished too early") }
                if !isDeleted { problems.append("finished without a deletion") }
                isFinished = true
            case .note: break
            }
        }

        private mutating func start(_ name: String, _ attempt: Int) {
            if running[name] != nil || starting[name] != nil { problems.append("\(name) runs twice") }
            if machine.ending != nil || isDeleted { problems.append("\(name) starts in a pod that is to end") }
            if used.contains("\(name) \(attempt)") { problems.append("attempt \(attempt) of \(name) comes twice") }
            let role = plan.all.first { $0.name == name }!.role
            if role == .main {
                for one in plan.initial where one.role == .initial {
                    let life = machine.containers.first { $0.plan.name == one.name }!
                    if !life.hasSucceeded { problems.append("\(name) starts before \(one.name) is done") }
                }
            }
            starting[name] = attempt
        }

        private mutating func answer(_ good: PodMachine.Event, or bad: PodMachine.Event) {
            pending.append(Int.random(in: 0..<5, using: &chance) == 0 ? bad : good)
        }

        private mutating func check() {
            if machine.phase.isTerminal, !running.isEmpty || !starting.isEmpty {
                problems.append("\(machine.phase) while \(running) \(starting)")
            }
        }

        /// One thing that happens.
        mutating func step() {
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<3 where !pending.isEmpty:
                send(pending.remove(at: Int.random(in: 0..<pending.count, using: &chance)))
            case 3..<5: answerStart()
            case 5: endOne()
            case 6 where Int.random(in: 0..<20, using: &chance) == 0: delete()
            case 7 where Int.random(in: 0..<200, using: &chance) == 0: send(.evicted(reason: "Evicted", message: "m"))
            case 8 where Int.random(in: 0..<20, using: &chance) == 0: send(.referencesChanged)
            default:
                let pause = Int.random(in: 1...3_000, using: &chance)
                let jump = machine.wake.map { max(0, $0.nanoseconds - now.nanoseconds) } ?? 0
                now = Timestamp(
                    nanoseconds: now.nanoseconds
                        + (Bool.random(using: &chance) ? min(jump, 400_000_000_000) : pause * 1_000_000))
                send(.tick)
            }
        }

        mutating func answerStart() {
            guard let (name, attempt) = starting.sorted(by: { $0.key < $1.key }).randomElement(using: &chance) else {
                return
            }
            starting[name] = nil
            switch Int.random(in: 0..<8, using: &chance) {
            case 0: send(.startFailed(name, attempt: attempt, .pull("no")))
            case 1: send(.startFailed(name, attempt: attempt, .config("no")))
            case 2:
                used.insert("\(name) \(attempt)")
                send(
                    .startFailed(
                        name, attempt: attempt,
                        .run("no", Termination(exitCode: 128, reason: "StartError", finishedAt: now))))
            default:
                used.insert("\(name) \(attempt)")
                running[name] = attempt
                send(.started(name, ContainerRun(attempt: attempt, startedAt: now, id: "x", image: "i", imageID: "d")))
            }
        }

        mutating func endOne() {
            guard let (name, attempt) = running.sorted(by: { $0.key < $1.key }).randomElement(using: &chance) else {
                return
            }
            guard signalled.contains(name) || Int.random(in: 0..<4, using: &chance) == 0 else { return }
            running[name] = nil
            signalled.remove(name)
            let code: Int32 = Bool.random(using: &chance) ? 0 : 1
            send(.ended(name, attempt: attempt, Termination(exitCode: code, reason: "x", finishedAt: now)))
        }

        mutating func delete() {
            isDeleted = true
            send(.deletionRequested(deadline: now.adding(seconds: Int.random(in: 0...5, using: &chance))))
        }

        /// Lets everything come to its end.
        mutating func drain() {
            delete()
            for _ in 0..<2000 where !isFinished {
                while !pending.isEmpty { send(pending.removeFirst()) }
                answerStart()
                endOne()
                if let wake = machine.wake, wake > now { now = wake }
                send(.tick)
            }
        }
    }

    @Test(arguments: 0..<40) func `no container runs twice, whatever happens`(group: Int) {
        for seed in 0..<25 {
            var world = World(seed: UInt64(group * 25 + seed))
            world.send(.tick)
            for _ in 0..<400 where !world.isFinished && world.problems.isEmpty { world.step() }
            if !world.isFinished { world.drain() }
            #expect(world.problems == [], "seed \(group * 25 + seed)")
            #expect(world.isFinished, "seed \(group * 25 + seed) comes to an end")
            guard world.problems.isEmpty else { return }
        }
    }
}
