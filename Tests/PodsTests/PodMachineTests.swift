import JSON
import KubeObjects
import Linux
import Testing

@testable import Pods

/// A machine with a clock and the answers of an engine that does what it is told.
struct MachineStage {
    var machine: PodMachine
    var now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)
    /// What was asked for, in words, and not yet looked at.
    var asked: [String] = []
    var events: [String] = []

    init(_ spec: JSONValue, _ metadata: JSONValue = [:]) {
        machine = PodMachine(Self.plan(spec, metadata), startTime: now)
        send(.tick)
    }

    static func plan(_ spec: JSONValue, _ metadata: JSONValue = [:]) -> PodPlan {
        var metadata = metadata
        metadata["name"] = "p"
        metadata["namespace"] = "default"
        metadata["uid"] = "u"
        return PodPlan(KubeObject(json: ["metadata": metadata, "spec": spec]))
    }

    mutating func send(_ event: PodMachine.Event) {
        for action in machine.handle(event, now: now) {
            switch action {
            case .prepare: asked.append("prepare")
            case .start(let name, let attempt): asked.append("start \(name) \(attempt)")
            case .postStart(let name, _): asked.append("postStart \(name)")
            case .preStop(let name, _): asked.append("preStop \(name)")
            case .signal(let name, _, let signal): asked.append("signal \(name)" + (signal.map { " \($0)" } ?? ""))
            case .kill(let name, _): asked.append("kill \(name)")
            case .probe(let name, _, let kind, let number):
                asked.append("\(kind.rawValue.lowercased()) \(name) \(number)")
            case .withdraw: asked.append("withdraw")
            case .tearDown: asked.append("tearDown")
            case .finish: asked.append("finish")
            case .note(let note): events.append("\(note.reason): \(note.message)")
            }
        }
    }

    mutating func take() -> [String] {
        defer { asked = [] }
        return asked
    }

    mutating func pass(seconds: Int) {
        now = Timestamp(nanoseconds: now.nanoseconds + seconds * 1_000_000_000)
        send(.tick)
    }

    mutating func prepared() { send(.prepared(addresses: ["10.244.0.2"])) }

    mutating func started(_ name: String, _ attempt: Int = 0) {
        send(
            .started(
                name,
                ContainerRun(
                    attempt: attempt, startedAt: now, id: "id-\(name)-\(attempt)", image: "i", imageID: "sha256:1")))
    }

    mutating func ended(_ name: String, _ attempt: Int = 0, _ code: Int32 = 0) {
        send(
            .ended(
                name, attempt: attempt,
                Termination(exitCode: code, reason: code == 0 ? "Completed" : "Error", finishedAt: now)))
    }

    var status: JSONValue {
        machine.status(over: .object([:]), hostAddress: "192.0.2.1", qosClass: .bestEffort, now: now)
    }

    func waiting(_ index: Int = 0) -> String? {
        status["containerStatuses"]?[index]?["state", "waiting", "reason"]?.string
    }
}

private func container(_ name: String = "c", _ more: JSONValue = [:]) -> JSONValue {
    var container = more
    container["name"] = .string(name)
    container["image"] = "i"
    return container
}

@Suite struct PodMachineTests {
    @Test func `init containers run in order, and before the rest`() {
        var stage = MachineStage([
            "initContainers": [container("a"), container("side", ["restartPolicy": "Always"]), container("b")],
            "containers": [container("c"), container("d")],
        ])
        #expect(stage.take() == ["prepare"])
        stage.prepared()
        #expect(stage.take() == ["start a 0"])
        #expect(stage.waiting() == "PodInitializing")
        stage.started("a")
        #expect(stage.take() == [])
        stage.ended("a", 0, 1)
        #expect(stage.take() == ["start a 1"])
        stage.started("a", 1)
        stage.ended("a", 1)
        #expect(stage.take() == ["start side 0"])
        stage.started("side")
        #expect(stage.take() == ["start b 0"])
        stage.started("b")
        #expect(stage.machine.phase == .pending)
        stage.ended("b")
        #expect(stage.take() == ["start c 0", "start d 0"])
        stage.started("c")
        stage.started("d")
        #expect(stage.machine.phase == .running)
    }

    @Test func `pauses between restarts double up to five minutes, and are forgotten after ten minutes of running`() {
        var stage = MachineStage(["containers": [container()]])
        stage.prepared()
        _ = stage.take()
        var attempt = 0
        for pause in [0, 10, 20, 40, 80, 160, 300, 300] {
            stage.started("c", attempt)
            stage.ended("c", attempt, 1)
            if pause > 0 {
                #expect(stage.take() == [])
                #expect(stage.waiting() == "CrashLoopBackOff")
                stage.pass(seconds: pause - 1)
                #expect(stage.take() == [])
                stage.pass(seconds: 1)
            }
            attempt += 1
            #expect(stage.take() == ["start c \(attempt)"])
        }
        stage.started("c", attempt)
        stage.pass(seconds: 601)
        stage.ended("c", attempt, 1)
        #expect(stage.take() == ["start c \(attempt + 1)"])
    }

    @Test(arguments: [86_400, -86_400]) func `a clock that is set changes no pause, no grace and no check`(jump: Int) {
        var stage = MachineStage([
            "containers": [
                container("c"), container("d", ["livenessProbe": ["periodSeconds": 10, "exec": ["command": ["x"]]]]),
            ], "terminationGracePeriodSeconds": 20,
        ])
        func set() {
            stage.now = Timestamp(nanoseconds: stage.now.nanoseconds + jump * 1_000_000_000)
            stage.machine.clockMoved(by: jump * 1_000_000_000)
            stage.send(.tick)
        }
        stage.prepared()
        stage.started("c")
        stage.started("d")
        _ = stage.take()
        stage.send(.probed("d", attempt: 0, .liveness, number: 1, isSuccess: true, message: ""))
        // One that has ended, and ended again.
        stage.ended("c", 0, 1)
        stage.started("c", 1)
        stage.ended("c", 1, 1)
        #expect(stage.take() == ["start c 1"])
        set()
        #expect(stage.take() == [])
        stage.pass(seconds: 9)
        #expect(stage.take() == [])
        stage.pass(seconds: 1)
        #expect(Set(stage.take()) == ["start c 2", "liveness d 2"])
        stage.started("c", 2)
        stage.send(.deletionRequested(deadline: Timestamp(nanoseconds: stage.now.nanoseconds + 20_000_000_000)))
        stage.send(.withdrawn)
        #expect(Set(stage.take()) == ["withdraw", "signal c", "signal d"])
        set()
        #expect(stage.take() == [])
        stage.pass(seconds: 19)
        #expect(stage.take() == [])
        stage.pass(seconds: 1)
        #expect(Set(stage.take()) == ["kill c", "kill d"])
    }

    @Test func `a policy decides whether a container that ended is started again`() {
        for (policy, code, again) in [
            ("Always", Int32(0), true), ("OnFailure", 0, false), ("OnFailure", 1, true), ("Never", 1, false),
            ("Never", 0, false),
        ] {
            var stage = MachineStage(["restartPolicy": .string(policy), "containers": [container()]])
            stage.prepared()
            stage.started("c")
            _ = stage.take()
            stage.ended("c", 0, code)
            #expect(stage.take() == (again ? ["start c 1"] : ["tearDown"]), "\(policy) \(code)")
            if !again { #expect(stage.machine.phase == (code == 0 ? .succeeded : .failed)) }
        }
    }

    @Test func `rules of a container go before its policy`() {
        let rules: JSONValue = [["action": "Restart", "exitCodes": ["operator": "In", "values": [42]]]]
        var stage = MachineStage([
            "restartPolicy": "Never",
            "containers": [container("c", ["restartPolicy": "Never", "restartPolicyRules": rules])],
        ])
        stage.prepared()
        stage.started("c")
        _ = stage.take()
        stage.ended("c", 0, 42)
        #expect(stage.take() == ["start c 1"])
        stage.started("c", 1)
        stage.ended("c", 1, 1)
        #expect(stage.machine.phase == .failed)
    }

    @Test func `an image that cannot be had is tried again after growing pauses`() {
        var stage = MachineStage(["containers": [container()]])
        stage.prepared()
        _ = stage.take()
        for pause in [10, 20, 40] {
            stage.send(.startFailed("c", attempt: 0, .pull("no such host")))
            #expect(stage.waiting() == "ErrImagePull")
            stage.pass(seconds: 1)
            #expect(stage.waiting() == "ImagePullBackOff")
            stage.pass(seconds: pause - 2)
            #expect(stage.take() == [])
            stage.pass(seconds: 1)
            #expect(stage.take() == ["start c 0"])
        }
        stage.started("c")
        #expect(stage.machine.phase == .running)
        #expect(stage.events.contains("BackOff: Back-off pulling image \"i\""))
    }

    @Test func `what a start was missing is tried again as soon as it may be there`() {
        var stage = MachineStage(["containers": [container()]])
        stage.prepared()
        _ = stage.take()
        stage.send(.startFailed("c", attempt: 0, .config("configmap \"x\" not found")))
        #expect(stage.waiting() == "CreateContainerConfigError")
        #expect(stage.take() == [])
        stage.send(.referencesChanged)
        #expect(stage.take() == ["start c 0"])
    }

    @Test func `checks make a container started, ready and restarted`() {
        let probe: JSONValue = ["periodSeconds": 1, "failureThreshold": 2]
        var stage = MachineStage([
            "containers": [container("c", ["startupProbe": probe, "livenessProbe": probe, "readinessProbe": probe])]
        ])
        stage.prepared()
        stage.started("c")
        #expect(stage.take() == ["prepare", "start c 0", "startup c 1"])
        #expect(stage.status["containerStatuses"]?[0]?["started"] == false)
        stage.send(.probed("c", attempt: 0, .startup, number: 1, isSuccess: true, message: ""))
        #expect(stage.take() == ["liveness c 1", "readiness c 1"])
        #expect(stage.status["containerStatuses"]?[0]?["started"] == true)
        #expect(stage.status["containerStatuses"]?[0]?["ready"] == false)
        stage.send(.probed("c", attempt: 0, .readiness, number: 1, isSuccess: true, message: ""))
        #expect(stage.status["containerStatuses"]?[0]?["ready"] == true)
        stage.send(.probed("c", attempt: 0, .liveness, number: 1, isSuccess: false, message: "no"))
        stage.pass(seconds: 1)
        #expect(stage.take() == ["liveness c 2", "readiness c 2"])
        stage.send(.probed("c", attempt: 0, .readiness, number: 2, isSuccess: false, message: "no"))
        #expect(stage.status["containerStatuses"]?[0]?["ready"] == true)
        stage.send(.probed("c", attempt: 0, .liveness, number: 2, isSuccess: false, message: "no"))
        #expect(stage.take() == ["signal c"])
        #expect(stage.events.contains("Killing: Container c failed liveness probe, will be restarted"))
        stage.ended("c", 0, 0)
        #expect(stage.take() == ["start c 1"])
    }

    @Test func `the answer of an earlier check changes nothing`() {
        var stage = MachineStage(["containers": [container("c", ["livenessProbe": ["failureThreshold": 1]])]])
        stage.prepared()
        stage.started("c")
        stage.ended("c", 0, 1)
        stage.started("c", 1)
        _ = stage.take()
        stage.send(.probed("c", attempt: 0, .liveness, number: 1, isSuccess: false, message: "late"))
        #expect(stage.take() == [])
    }

    @Test func `clients are kept away before the programs are told to end`() {
        var stage = MachineStage([
            "initContainers": [
                container("s1", ["restartPolicy": "Always"]), container("s2", ["restartPolicy": "Always"]),
            ],
            "containers": [
                container("c", ["lifecycle": ["preStop": ["sleep": ["seconds": 1]], "stopSignal": "SIGUSR1"]])
            ],
        ])
        stage.prepared()
        for name in ["s1", "s2", "c"] { stage.started(name) }
        _ = stage.take()
        stage.send(.deletionRequested(deadline: stage.now.adding(seconds: 30)))
        #expect(stage.take() == ["withdraw"])
        stage.send(.withdrawn)
        #expect(stage.take() == ["preStop c"])
        stage.send(.preStopDone("c", attempt: 0))
        #expect(stage.take() == ["signal c 10"])
        stage.ended("c")
        #expect(stage.take() == ["signal s2"])
        stage.ended("s2")
        #expect(stage.take() == ["signal s1"])
        stage.ended("s1", 0, 143)
        #expect(stage.take() == ["tearDown"])
        #expect(stage.machine.phase == .succeeded)
        stage.send(.tornDown)
        #expect(stage.take() == ["finish"])
    }

    @Test func `what does not end in its time is killed, hook or not`() {
        var stage = MachineStage([
            "containers": [container("c", ["lifecycle": ["preStop": ["exec": ["command": ["sleep"]]]]])]
        ])
        stage.prepared()
        stage.started("c")
        stage.send(.deletionRequested(deadline: stage.now.adding(seconds: 5)))
        stage.send(.withdrawn)
        _ = stage.take()
        stage.pass(seconds: 5)
        #expect(stage.take() == ["signal c"])
        stage.pass(seconds: 2)
        #expect(stage.take() == ["kill c"])
        stage.ended("c", 0, 137)
        #expect(stage.take() == ["tearDown"])
        #expect(stage.machine.phase == .failed)
    }

    @Test func `a pod that is to end starts nothing more`() {
        var stage = MachineStage(["initContainers": [container("a")], "containers": [container()]])
        stage.prepared()
        stage.send(.deletionRequested(deadline: stage.now.adding(seconds: 30)))
        _ = stage.take()
        // The start was on its way.
        stage.started("a")
        stage.send(.withdrawn)
        #expect(stage.take() == ["signal a"])
        stage.ended("a")
        #expect(stage.take() == ["tearDown"])
    }

    @Test func `a deleted pod is gone when everything of it is`() {
        var stage = MachineStage(["containers": [container()]])
        stage.send(.deletionRequested(deadline: stage.now.adding(seconds: 30)))
        #expect(stage.take() == ["prepare"])
        stage.prepared()
        #expect(stage.take() == ["tearDown"])
        stage.send(.tornDown)
        #expect(stage.take() == ["finish"])
        #expect(stage.machine.isFinished)
    }

    @Test func `a pod that is active for too long fails`() {
        var stage = MachineStage(["activeDeadlineSeconds": 10, "containers": [container()]])
        stage.prepared()
        stage.started("c")
        _ = stage.take()
        #expect(stage.machine.wake == stage.now.adding(seconds: 10))
        stage.pass(seconds: 10)
        stage.send(.withdrawn)
        stage.ended("c", 0, 0)
        #expect(stage.machine.phase == .failed)
        #expect(stage.status["reason"] == "DeadlineExceeded")
        #expect(stage.take() == ["withdraw", "signal c", "tearDown"])
        stage.send(.tornDown)
        // The object stays until somebody deletes it.
        #expect(stage.take() == [])
    }

    @Test func `a pod that memory runs out for has a second, whatever its grace is`() {
        let evicted = PodMachine.Event.evicted(reason: "Evicted", message: "no memory")
        func running(_ more: JSONValue = [:]) -> MachineStage {
            var stage = MachineStage(["terminationGracePeriodSeconds": 30, "containers": [container("c", more)]])
            stage.prepared()
            stage.started("c")
            _ = stage.take()
            return stage
        }
        var stage = running()
        stage.send(evicted)
        stage.send(.withdrawn)
        #expect(stage.take() == ["withdraw", "signal c"])
        stage.pass(seconds: 1)
        #expect(stage.take() == ["kill c"])
        #expect(stage.machine.ending == .failed(reason: "Evicted", message: "no memory"))
        // Clients that do not leave take none of it away from the machine.
        stage = running()
        stage.send(evicted)
        stage.pass(seconds: 1)
        #expect(stage.take() == ["withdraw", "signal c", "kill c"])
        // Nor does a hook.
        stage = running(["lifecycle": ["preStop": ["exec": ["command": ["sleep"]]]]])
        stage.send(evicted)
        stage.send(.withdrawn)
        stage.pass(seconds: 1)
        stage.send(.tick)
        #expect(stage.take() == ["withdraw", "preStop c", "signal c", "kill c"])
        // Nor one that was being ended at leisure.
        stage = running(["livenessProbe": ["failureThreshold": 1]])
        stage.send(.probed("c", attempt: 0, .liveness, number: 1, isSuccess: false, message: "no"))
        stage.send(evicted)
        stage.send(.withdrawn)
        stage.pass(seconds: 1)
        #expect(stage.take() == ["signal c", "withdraw", "kill c"])
        // What fails for another reason keeps its grace.
        stage = running()
        stage.send(.evicted(reason: "SysctlForbidden", message: "no"))
        stage.send(.withdrawn)
        stage.pass(seconds: 29)
        #expect(stage.take() == ["withdraw", "signal c"])
        stage.pass(seconds: 1)
        #expect(stage.take() == ["kill c"])
    }

    @Test func `a debugger starts in a pod that hangs in an init container`() {
        var spec: JSONValue = ["initContainers": [container("a")], "containers": [container()]]
        var stage = MachineStage(spec)
        spec["ephemeralContainers"] = [container("debug")]
        stage.send(.planChanged(MachineStage.plan(spec)))
        // Not before there is a place for it.
        #expect(stage.take() == ["prepare"])
        stage.prepared()
        #expect(stage.take() == ["start a 0", "start debug 0"])
        #expect(
            stage.status["ephemeralContainerStatuses"]?[0]?["state", "waiting", "reason"] == "ContainerCreating")
        #expect(stage.waiting() == "PodInitializing")
        stage.started("a")
        stage.started("debug")
        #expect(stage.machine.phase == .pending)
        stage.ended("debug", 0, 1)
        stage.ended("a")
        #expect(stage.take() == ["start c 0"])
    }

    @Test func `a hook after the start holds up readiness, and its failure restarts the container`() {
        var stage = MachineStage([
            "containers": [container("c", ["lifecycle": ["postStart": ["exec": ["command": ["x"]]]]])]
        ])
        stage.prepared()
        stage.started("c")
        #expect(stage.take() == ["prepare", "start c 0", "postStart c"])
        #expect(stage.status["containerStatuses"]?[0]?["ready"] == false)
        stage.send(.postStartDone("c", attempt: 0, failure: "PostStartHook failed"))
        #expect(stage.take() == ["signal c"])
        stage.ended("c", 0, 143)
        #expect(stage.take() == ["start c 1"])
        stage.started("c", 1)
        stage.send(.postStartDone("c", attempt: 1, failure: nil))
        #expect(stage.status["containerStatuses"]?[0]?["ready"] == true)
    }

    @Test func `conditions say what holds a pod up`() {
        var stage = MachineStage([
            "readinessGates": [["conditionType": "example.com/gate"]], "initContainers": [container("a")],
            "containers": [container()],
        ])
        func condition(_ type: String) -> JSONValue? {
            stage.status["conditions"]?.array?.first { $0["type"]?.string == type }
        }
        #expect(condition("PodReadyToStartContainers")?["status"] == "False")
        #expect(condition("Initialized")?["message"] == "containers with incomplete status: [a]")
        stage.prepared()
        stage.started("a")
        stage.ended("a")
        #expect(condition("Initialized")?["status"] == "True")
        #expect(condition("ContainersReady")?["message"] == "containers with unready status: [c]")
        stage.started("c")
        #expect(condition("ContainersReady")?["status"] == "True")
        #expect(condition("Ready")?["reason"] == "ReadinessGatesNotReady")
    }

    @Test func `adoption goes on with what runs, and restarts what is lost`() {
        var stage = MachineStage(["containers": [container("c"), container("d")]])
        stage.prepared()
        stage.started("c")
        stage.started("d")
        let status = stage.status
        var machine = PodMachine(
            MachineStage.plan(["containers": [container("c"), container("d")]]), startTime: stage.now)
        let run = ContainerRun(attempt: 0, startedAt: stage.now, id: "id-c-0", image: "i", imageID: "sha256:1")
        machine.adopt([FoundContainer(name: "c", run: run, end: nil)], status: status, now: stage.now)
        #expect(machine.handle(.tick, now: stage.now) == [.prepare])
        #expect(machine.handle(.prepared(addresses: ["10.244.0.2"]), now: stage.now) == [.start("d", attempt: 1)])
        let after = machine.status(over: status, hostAddress: "192.0.2.1", qosClass: .bestEffort, now: stage.now)
        #expect(after["containerStatuses"]?[0] == status["containerStatuses"]?[0])
        #expect(after["containerStatuses"]?[1]?["lastState", "terminated", "reason"] == "ContainerStatusUnknown")
    }
}
