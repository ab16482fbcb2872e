package import Linux

/// The life of a pod on its node as a pure state machine: events in, actions out; time is a parameter.
///
/// Invariants
/// 1. A container is started only when nothing of it runs or is about to, and each start has a number of its own.
///    (test: `no container runs twice, whatever happens`)
/// 2. A pod that has ended, or is to end, starts nothing. (test: `a pod that is to end starts nothing more`)
/// 3. The object of a pod goes only when all its containers have ended and what it had is given back.
///    (test: `a deleted pod is gone when everything of it is`)
/// 4. Init containers run one after the other and before the main ones.
///    (test: `init containers run in order, and before the rest`)
/// 5. The way of clients to a pod is closed before any of its programs hears that it is to end.
///    (test: `clients are kept away before the programs are told to end`)
/// 6. A wall clock that is set neither shortens nor lengthens what is waited for.
///    (test: `a clock that is set changes no pause, no grace and no check`)
/// 7. A pod that the machine has no memory for is told to end and killed within a second.
///    (test: `a pod that memory runs out for has a second, whatever its grace is`)
package struct PodMachine: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        /// The object has changed.
        case planChanged(PodPlan)
        /// Somebody wants it gone by then; again when the time gets shorter.
        case deletionRequested(deadline: Timestamp)
        /// The object is not there any more.
        case objectGone
        /// Volumes and network are there.
        case prepared(addresses: [String])
        case prepareFailed(String)
        /// Something that a start or a volume was missing may be there now.
        case referencesChanged
        case started(String, ContainerRun)
        case startFailed(String, attempt: Int, StartFailure)
        case ended(String, attempt: Int, Termination)
        /// nil: it succeeded.
        case postStartDone(String, attempt: Int, failure: String?)
        case preStopDone(String, attempt: Int)
        case probed(String, attempt: Int, ProbeKind, number: Int, isSuccess: Bool, message: String)
        /// No client can reach it any more.
        case withdrawn
        /// Network and volumes are given back.
        case tornDown
        /// It cannot stay: `reason` and `message` are the status's. With `evictedReason` it has a second and no more.
        case evicted(reason: String, message: String)
        /// The time that `wake` named has come.
        case tick
    }

    /// Why nothing of an attempt runs.
    package enum StartFailure: Hashable, Sendable {
        /// The image could not be had: ErrImagePull.
        case pull(String)
        /// The same, but no attempt will bring it: ErrImageNeverPull, InvalidImageName.
        case image(reason: String, String)
        /// Something that it refers to is missing or wrong: CreateContainerConfigError.
        case config(String)
        /// CreateContainerError
        case create(String)
        /// It was made and could not be executed: an end with exit code 128 and the reason StartError.
        case run(String, Termination)
    }

    package enum Action: Hashable, Sendable {
        case prepare
        case start(String, attempt: Int)
        case postStart(String, attempt: Int)
        case preStop(String, attempt: Int)
        /// nil: what the image says, else SIGTERM.
        case signal(String, attempt: Int, Int32?)
        case kill(String, attempt: Int)
        case probe(String, attempt: Int, ProbeKind, number: Int)
        /// Takes the pod out of the way of clients, and lets connections end until then.
        case withdraw(deadline: Timestamp)
        case tearDown
        /// Everything is over and the object may go; the worker ends with it.
        case finish
        case note(EventNote)
    }

    package enum Ending: Hashable, Sendable {
        case deleted
        case failed(reason: String, message: String)
        /// Its containers have ended by themselves.
        case completed
    }

    enum Part: Hashable, Sendable {
        case none
        case asked
        case done
        case failed(until: Timestamp)
    }

    package internal(set) var plan: PodPlan
    var containers: [ContainerLife]
    /// Volumes and network.
    var preparation = Part.none
    var prepareFailures = 0
    package internal(set) var prepareProblem: String?
    package internal(set) var addresses: [String] = []
    /// When this node took it over.
    package internal(set) var startTime: Timestamp
    /// Why it is to end or has ended.
    package internal(set) var ending: Ending?
    /// When everything is killed; nil: nobody waits.
    var deadline: Timestamp?
    var withdrawal = Part.none
    var tearDown = Part.none
    package internal(set) var isFinished = false
    var actions: [Action] = []

    /// - Parameter startTime: of the status that there is, else now.
    package init(_ plan: PodPlan, startTime: Timestamp) {
        self.plan = plan
        self.startTime = startTime
        containers = plan.all.map(ContainerLife.init)
    }

    /// Moves on.
    package mutating func handle(_ event: Event, now: Timestamp) -> [Action] {
        guard !isFinished else { return [] }
        take(event, now)
        advance(now)
        defer { actions = [] }
        return actions
    }

    private mutating func take(_ event: Event, _ now: Timestamp) {
        switch event {
        case .planChanged(let plan): change(to: plan, now)
        case .deletionRequested(let deadline): delete(by: deadline, now)
        case .objectGone: delete(by: now.adding(seconds: 1), now)
        case .prepared(let addresses): prepared(addresses)
        case .prepareFailed(let problem): prepareFailed(problem, now)
        case .referencesChanged: forgetProblems()
        case .started(let name, let run): started(name, run, now)
        case .startFailed(let name, let attempt, let failure): startFailed(name, attempt, failure, now)
        case .ended(let name, let attempt, let end): ended(name, attempt, end)
        case .postStartDone(let name, let attempt, let failure): postStartDone(name, attempt, failure, now)
        case .preStopDone(let name, let attempt): preStopDone(name, attempt, now)
        case .probed(let name, let attempt, let kind, let number, let isSuccess, let message):
            probed(name, attempt, kind, number, isSuccess, message, now)
        case .withdrawn: withdrawal = .done
        case .tornDown: tearDown = .done
        case .evicted(let reason, let message): fail(reason, message, now)
        case .tick: break
        }
    }

    /// Everything that follows from where it is.
    private mutating func advance(_ now: Timestamp) {
        checkDeadline(now)
        if ending == nil, areMainOver { ending = .completed }
        if ending == nil { startWhatMay(now) } else { endWhatRuns(now) }
        for index in containers.indices { stopFurther(index, now) }
        for index in containers.indices { probe(index, now) }
    }

    private mutating func checkDeadline(_ now: Timestamp) {
        guard ending == nil, let seconds = plan.activeDeadlineSeconds, startTime.adding(seconds: seconds) <= now else {
            return
        }
        let message = "Pod was active on the node longer than the specified deadline"
        note(.normal, "DeadlineExceeded", message)
        fail("DeadlineExceeded", message, now)
    }

    mutating func fail(_ reason: String, _ message: String, _ now: Timestamp) {
        guard ending == nil else { return }
        ending = .failed(reason: reason, message: message)
        guard isEvicted else {
            deadline = now.adding(seconds: plan.graceSeconds)
            return
        }
        let end = now.adding(seconds: Self.evictionSeconds)
        deadline = end
        hurry(to: end)
    }

    /// The reason of pods that go because the machine runs out of something.
    static let evictedReason = "Evicted"
    /// What such a pod has, whatever its own grace is: as the kubelet below its hard thresholds.
    static let evictionSeconds = 1

    /// Whether the machine cannot wait for it.
    var isEvicted: Bool {
        guard case .failed(let reason, _) = ending else { return false }
        return reason == Self.evictedReason
    }

    private mutating func delete(by deadline: Timestamp, _ now: Timestamp) {
        // A second request may shorten the time, not lengthen it.
        self.deadline = min(self.deadline ?? deadline, deadline)
        hurry(to: max(self.deadline!, now))
        // How a pod that had failed or completed ended stays as it was told.
        isDeleted = true
        if ending == nil { ending = .deleted }
    }

    /// Containers that are ending already have no longer than until then.
    private mutating func hurry(to sooner: Timestamp) {
        for index in containers.indices {
            guard case .stopping(let run, var stopping) = containers[index].stage, stopping.killAt > sooner else {
                continue
            }
            stopping.killAt = sooner
            containers[index].stage = .stopping(run, stopping)
        }
    }

    /// Whether the object is to go.
    package internal(set) var isDeleted = false

    // What others ask.

    /// When `tick` is wanted, if nothing happens before; nil: never.
    package var wake: Timestamp? {
        var times: [Timestamp] = []
        if ending == nil, let seconds = plan.activeDeadlineSeconds { times.append(startTime.adding(seconds: seconds)) }
        if ending == nil, case .failed(let time) = preparation { times.append(time) }
        if ending != nil, withdrawal == .asked, let deadline { times.append(deadline) }
        for life in containers {
            switch life.stage {
            case .idle:
                if ending == nil, mayRun(life.plan), let time = life.notBefore { times.append(time) }
                if ending == nil, let time = life.pullNotedAt { times.append(time) }
            case .starting: break
            case .running: times += life.probes.values.compactMap(\.wake)
            case .stopping(_, let stopping):
                if stopping.step != .killed { times.append(stopping.killAt) }
                times += life.probes.values.compactMap(\.wake)
            }
        }
        return times.min()
    }

    var areMainOver: Bool {
        // One that has failed for good keeps the main ones from ever starting.
        if containers.contains(where: { $0.plan.role == .initial && $0.isOver && !$0.hasSucceeded }) { return true }
        let main = containers.filter { $0.plan.role == .main }
        return !main.isEmpty && main.allSatisfy(\.isOver)
    }

    /// The attempt of a container that runs now; nil: none does.
    package func attempt(of name: String) -> Int? { index(name).flatMap { containers[$0].run?.attempt } }

    func index(_ name: String) -> Int? { containers.firstIndex { $0.plan.name == name } }

    /// The container, if this attempt of it is the one under way.
    func index(_ name: String, running attempt: Int) -> Int? {
        guard let index = index(name), containers[index].run?.attempt == attempt else { return nil }
        return index
    }

    mutating func note(_ kind: EventNote.Kind, _ reason: String, _ message: String, container: String? = nil) {
        actions.append(.note(EventNote(kind, reason, message, container: container)))
    }
}

/// What is told about a pod as an Event: core/v1.Event.
package struct EventNote: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    package var kind: Kind
    package var reason: String
    package var message: String
    /// The container that it is about.
    package var container: String?

    package init(_ kind: Kind, _ reason: String, _ message: String, container: String? = nil) {
        self.kind = kind
        self.reason = reason
        self.message = message
        self.container = container
    }
}
