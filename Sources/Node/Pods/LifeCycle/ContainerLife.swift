package import Linux

/// How a run of a container ended: core/v1.ContainerStateTerminated.
package struct Termination: Hashable, Sendable {
    package var exitCode: Int32
    package var signal: Int32?
    package var reason: String
    package var message: String?
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp
    package var containerID: String?

    package init(
        exitCode: Int32, signal: Int32? = nil, reason: String, message: String? = nil, startedAt: Timestamp? = nil,
        finishedAt: Timestamp, containerID: String? = nil
    ) {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.containerID = containerID
    }
}

/// A run of a container that is under way.
package struct ContainerRun: Hashable, Sendable {
    /// How many came before it, which is the container's restart count.
    package var attempt: Int
    package var startedAt: Timestamp
    /// The engine's id.
    package var id: String
    /// The image that it was made from, and its id.
    package var image: String
    package var imageID: String

    package init(attempt: Int, startedAt: Timestamp, id: String, image: String, imageID: String) {
        self.attempt = attempt
        self.startedAt = startedAt
        self.id = id
        self.image = image
        self.imageID = imageID
    }
}

/// Where one container of a pod stands.
struct ContainerLife: Hashable, Sendable {
    enum Stage: Hashable, Sendable {
        /// Nothing runs, and nothing is under way.
        case idle
        /// The engine was asked for this attempt.
        case starting(Int)
        case running(ContainerRun)
        case stopping(ContainerRun, Stopping)
    }

    /// How far an end on request is.
    struct Stopping: Hashable, Sendable {
        enum Step: Hashable, Sendable { case hook, signalled, killed }
        var step: Step
        var killAt: Timestamp
    }

    var plan: ContainerPlan
    var stage = Stage.idle
    /// The number that the next run has.
    var nextAttempt = 0
    /// How the latest run ended; nil while it goes on, and before the first.
    var ended: Termination?
    /// How the one before ended.
    var previous: Termination?
    /// What the latest run was made from.
    var image: String
    var imageID = ""
    var id: String?
    /// Why it is not started now: a reason of core/v1.ContainerStateWaiting.
    var waiting: (reason: String, message: String?)? {
        get { waitingReason.map { ($0, waitingMessage) } }
        set { (waitingReason, waitingMessage) = (newValue?.reason, newValue?.message) }
    }
    private var waitingReason: String?
    private var waitingMessage: String?
    /// Not to be started before.
    var notBefore: Timestamp?
    /// At this time ErrImagePull becomes ImagePullBackOff.
    var pullNotedAt: Timestamp?
    var crashes = BackOff()
    var pulls = BackOff()
    /// Whether the hook after the start is still under way.
    var isHooking = false
    /// Whether the startup probe has succeeded, where there is one.
    var isStarted = false
    var isReady = false
    /// Whether it is started again whatever its end says: a check or a changed spec has stopped it.
    var restartsAnyway = false
    var probes: [ProbeKind: ProbeLife] = [:]

    init(_ plan: ContainerPlan) {
        self.plan = plan
        image = plan.image
    }

    var run: ContainerRun? {
        switch stage {
        case .idle, .starting: nil
        case .running(let run), .stopping(let run, _): run
        }
    }

    /// Whether a program runs or may be about to.
    var isActive: Bool { stage != .idle }

    /// Whether it has run to an end after which it is not started again.
    var isOver: Bool {
        guard stage == .idle, let ended else { return false }
        return !restartsAnyway && !plan.restarts(after: ended.exitCode)
    }

    /// Whether an init container has done what it is for.
    var hasSucceeded: Bool { stage == .idle && ended?.exitCode == 0 && !restartsAnyway }

    /// Whether the next container may start: a sidecar has started.
    var isUp: Bool { if case .running = stage { isStarted && !isHooking } else { false } }
}
