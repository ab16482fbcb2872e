package import Linux

/// When a container is started again, as a pure state machine beside its life: events in, an action out.
///
/// Invariants
/// 1. After a stop nothing starts it but its user, or, if the policy is `always`, the start of a node.
///    (test: `whatever follows a stop, nothing starts`)
/// 2. A delay is between `shortestDelay` and `longestDelay`, twice the one before it, and the shortest again after a
///    run of `steadyRun`. (test: `delays double up to a minute and begin anew after a steady run`)
/// 3. `on-failure:N` starts at most N times again since its user started it.
///    (test: `a limit of retries is kept`)
/// 4. A timer that comes late starts nothing: only the wait that is under way can end in a start.
///    (test: `a timer of an earlier wait does nothing`)
package struct RestartState: Hashable, Sendable {
    /// Nanoseconds, as in Docker's restart manager; so are the two below.
    package static let shortestDelay = 100_000_000
    package static let longestDelay = 60_000_000_000
    /// Who runs this long did not fail at its start.
    package static let steadyRun = 10_000_000_000

    package enum Event: Hashable, Sendable {
        case startedByUser
        case stopRequested
        /// It ended by itself or was lost with its keeper, after this time.
        case ended(ranNanoseconds: Int, failed: Bool)
        case waitOver(at: Timestamp)
        /// A node found that it does not run.
        case nodeStarted(failed: Bool)
        case policyChanged(RestartPolicy)
    }

    package enum Action: Hashable, Sendable {
        /// Send `waitOver` with this time when it has come.
        case wait(until: Timestamp)
        case start
        /// The wait that was under way is off.
        case cancelWait
    }

    package private(set) var policy: RestartPolicy
    /// How often it was started again since its user started it.
    package private(set) var restarts: Int
    package private(set) var isStopped: Bool
    /// It is to be started then.
    package private(set) var waitsUntil: Timestamp?
    private var delay = 0

    /// The last two are what a record kept for the next node.
    package init(policy: RestartPolicy, restarts: Int = 0, isStopped: Bool = false) {
        self.policy = policy
        self.restarts = restarts
        self.isStopped = isStopped
    }

    package mutating func handle(_ event: Event, now: Timestamp) -> Action? {
        switch event {
        case .startedByUser:
            let cancelled = cancel()
            self = RestartState(policy: policy)
            return cancelled
        case .stopRequested:
            isStopped = true
            return cancel()
        case .ended(let ran, let failed):
            guard !isStopped, wants(afterFailure: failed) else { return cancel() }
            delay = ran >= Self.steadyRun || delay == 0 ? Self.shortestDelay : min(2 * delay, Self.longestDelay)
            let time = Timestamp(nanoseconds: now.nanoseconds + delay)
            waitsUntil = time
            return .wait(until: time)
        case .waitOver(let time):
            guard waitsUntil == time else { return nil }
            return start()
        case .nodeStarted(let failed):
            guard !isStopped || policy == .always, wants(afterFailure: failed) else { return nil }
            isStopped = false
            return start()
        case .policyChanged(let new):
            policy = new
            return waitsUntil != nil && !wants(afterFailure: true) ? cancel() : nil
        }
    }

    private func wants(afterFailure failed: Bool) -> Bool {
        switch policy {
        case .no: false
        case .always, .unlessStopped: true
        case .onFailure(nil): failed
        case .onFailure(let retries?): failed && restarts < retries
        }
    }

    private mutating func start() -> Action {
        waitsUntil = nil
        restarts += 1
        return .start
    }

    private mutating func cancel() -> Action? {
        defer { waitsUntil = nil }
        return waitsUntil == nil ? nil : .cancelWait
    }
}
