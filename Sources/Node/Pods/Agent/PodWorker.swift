import Engine
import JSON
import KubeObjects
import KubeStore
import Linux
import Synchronization

/// One pod's task: takes what happens to it one by one, lets the machine decide, and sees that what it says is done.
///
/// Nothing here waits for the engine: what takes time runs in tasks of its own, which tell the outcome as events.
final class PodWorker: Sendable {
    enum Message: Sendable {
        case event(PodMachine.Event)
        /// The object as it is now.
        case object(KubeObject)
        /// Another object has changed.
        case changed(Resource, ObjectKey)
        case made(PodVolumes.Made)
        case refreshVolumes
        /// The node ends: what runs runs on.
        case quit
    }

    /// What others may look at.
    struct View: Sendable {
        var pod: KubeObject
        var machine: PodMachine
    }

    let uid: String
    private let mailbox: AsyncStream<Message>.Continuation
    private let messages: AsyncStream<Message>
    let view: Mutex<View>
    let surroundings: PodSurroundings
    let volumes = Mutex(PodVolumes.Made())
    let refresh = Mutex(VolumeRefresh())
    let refreshAlarm = Alarm()
    let mounts: PodMounts
    let processes: PodProcesses
    let pullWaits = PullWaits()
    /// Tasks that wait for containers to end, probes and the like: they end with the worker.
    let tasks = TaskShelf()

    init(_ pod: KubeObject, found: [FoundContainer], _ surroundings: PodSurroundings) {
        uid = pod.uid
        mounts = PodMounts(surroundings.engine)
        processes = PodProcesses(pod.uid, surroundings)
        self.surroundings = surroundings
        (messages, mailbox) = AsyncStream<Message>.makeStream()
        let now = surroundings.now()
        let begin = pod.status["startTime"]?.string.flatMap(Timestamp.init) ?? now
        var machine = PodMachine(PodPlan(pod), startTime: begin)
        machine.adopt(found, status: pod.status, now: now)
        view = Mutex(View(pod: pod, machine: machine))
        for container in found where container.end == nil {
            tasks.add { await self.follow(container.name, container.run) }
        }
    }

    func post(_ message: Message) { mailbox.yield(message) }
    func post(_ event: PodMachine.Event) { mailbox.yield(.event(event)) }

    var pod: KubeObject { view.withLock { $0.pod } }
    var machine: PodMachine { view.withLock { $0.machine } }

    /// Works until the pod is gone or the node ends.
    func run() async {
        let writer = StatusWriter(client: surroundings.client, pod: pod, note: surroundings.note)
        let quality = QualityOfService(spec: pod.spec)
        var timer: Task<Void, Never>?
        var clock = ClockJump()
        _ = clock.look(wall: surroundings.now(), monotonic: surroundings.monotonic())
        rejectWhatMayNotRun()
        see(pod, before: nil)
        post(.tick)
        for await message in messages {
            if case .quit = message { break }
            guard let event = event(of: message, writer) else { continue }
            let now = surroundings.now()
            let jump = clock.look(wall: now, monotonic: surroundings.monotonic())
            let (actions, machine) = view.withLock { view in
                if jump != 0 { view.machine.clockMoved(by: jump) }
                let actions = view.machine.handle(event, now: now)
                return (actions, view.machine)
            }
            for action in actions { perform(action, writer) }
            let host = "\(surroundings.settings.hostAddress)"
            writer.offer(isSettled: machine.isSettled) { old in
                machine.status(over: old, hostAddress: host, qosClass: quality, now: now)
            }
            timer?.cancel()
            timer = machine.wake.map { wake in
                let pause = max(1_000_000, wake.nanoseconds - now.nanoseconds)
                return Task {
                    guard (try? await Task.sleep(for: .nanoseconds(pause))) != nil else { return }
                    self.post(.tick)
                }
            }
        }
        timer?.cancel()
        refreshAlarm.end()
        writer.end()
        tasks.cancelAll()
    }

    /// Ends the worker: there is nothing more to do.
    func finish() { mailbox.finish() }

    private func event(of message: Message, _ writer: StatusWriter) -> PodMachine.Event? {
        switch message {
        case .event(let event): return event
        case .object(let pod):
            let before = view.withLock { view in
                defer { view.pod = pod }
                return view.pod
            }
            writer.see(pod)
            see(pod, before: before)
            return .planChanged(PodPlan(pod))
        case .changed(let resource, let key):
            guard refers(to: resource, key) else { return nil }
            if machine.preparation == .done { refreshVolumes() }
            return .referencesChanged
        case .made(let made):
            keep(made)
            return nil
        case .refreshVolumes:
            refreshVolumes()
            return nil
        case .quit: return nil
        }
    }

    /// As the kubelet does not admit a pod.
    private func rejectWhatMayNotRun() {
        guard let refusal = PodSysctls(pod: pod).refusal, machine.ending == nil else { return }
        tell(EventNote(.warning, PodSysctls.forbiddenReason, refusal))
        post(.evicted(reason: PodSysctls.forbiddenReason, message: "Pod was rejected: " + refusal))
    }

    /// An object that is to go says until when. It is told once: what the machine waits for moves with the clock.
    private func see(_ pod: KubeObject, before: KubeObject?) {
        guard pod.metadata.deletionTimestamp != before?.metadata.deletionTimestamp,
            let deadline = pod.deletionDeadline(heardAt: surroundings.now())
        else { return }
        pullWaits.end()
        post(.deletionRequested(deadline: deadline))
    }

    /// Whether the pod names the object in its spec.
    private func refers(to resource: Resource, _ key: ObjectKey) -> Bool {
        let pod = pod
        switch resource {
        case .configMaps, .secrets, .persistentVolumeClaims, .serviceAccounts:
            return key.namespace == pod.namespace && Self.names(pod.spec, key.name)
        case .persistentVolumes: return machine.preparation != .done
        default: return false
        }
    }

    /// Whether one of the texts in it is the name.
    static func names(_ json: JSONValue, _ name: String) -> Bool {
        switch json {
        case .string(let text): text == name
        case .array(let elements): elements.contains { names($0, name) }
        case .object(let object): object.members.contains { names($0.value, name) }
        default: false
        }
    }

    private func perform(_ action: PodMachine.Action, _ writer: StatusWriter) {
        switch action {
        case .prepare: tasks.add { await self.prepare() }
        case .start(let name, let attempt): tasks.add { await self.start(name, attempt) }
        case .postStart(let name, let attempt): tasks.add { await self.postStart(name, attempt) }
        case .preStop(let name, let attempt): tasks.add { await self.preStop(name, attempt) }
        case .signal(let name, let attempt, let signal): tasks.add { await self.signal(name, attempt, signal) }
        case .kill(let name, let attempt): tasks.add { await self.signal(name, attempt, Signal.kill) }
        case .probe(let name, let attempt, let kind, let number):
            tasks.add { await self.probe(name, attempt, kind, number) }
        case .withdraw(let deadline): tasks.add { await self.withdraw(by: deadline) }
        case .tearDown: tasks.add { await self.tearDown() }
        case .finish: tasks.add { await self.finish(writer) }
        case .note(let note): tell(note)
        }
    }

    func tell(_ note: EventNote) { surroundings.tell(note, of: pod) }

    func container(_ name: String) -> JSONValue? {
        let spec = pod.spec
        for key in ["containers", "initContainers", "ephemeralContainers"] {
            if let found = spec[key]?.array?.first(where: { $0["name"]?.string == name }) { return found }
        }
        return nil
    }
}

/// Tasks that end on their own or with their owner.
final class TaskShelf: Sendable {
    private let state = Mutex<(next: Int, tasks: [Int: Task<Void, Never>], isOver: Bool)>((0, [:], false))

    func add(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            guard !state.isOver else { return }
            state.next += 1
            let number = state.next
            state.tasks[number] = Task {
                await body()
                self.remove(number)
            }
        }
    }

    private func remove(_ number: Int) { state.withLock { _ = $0.tasks.removeValue(forKey: number) } }

    func cancelAll() {
        let tasks = state.withLock { state in
            state.isOver = true
            defer { state.tasks = [:] }
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }
}
