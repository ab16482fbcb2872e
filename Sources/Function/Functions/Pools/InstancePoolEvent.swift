/// What happens to the pool of a function version.
package enum InstancePoolEvent: Hashable, Sendable {
    /// - Parameter deadline: the caller has no use for an answer that begins later.
    case callArrived(CallID, deadline: Instant?)
    /// There is memory for one more instance, which `InstancePool.appetite` asked for.
    case roomGranted
    case instanceReady(InstanceID)
    case instanceFailed(InstanceID, InstanceStartFailure)
    /// A call has left it. `isReclaimed`: its memory is wanted elsewhere, it may not take another call.
    case instanceFreed(InstanceID, isReclaimed: Bool)
    /// It has not taken the call that it was given, since it is ending: the call waits again, before all others.
    case callReturned(CallID, InstanceID, deadline: Instant?)
    /// Nothing of it runs any more; the text completes "the instance ...".
    case instanceEnded(InstanceID, String)
    /// Its memory is wanted elsewhere: the instance that has been idle longest goes.
    case evict
    /// So many instances are to be kept warm.
    case provision(Int)
    case timer
    /// The version was replaced: what is accepted is served, nothing is kept.
    case drain
    /// No more calls; those that wait are refused, those that run go on.
    case close
}

/// What a pool wants done, in this order.
package enum InstancePoolAction: Hashable, Sendable {
    case launch(InstanceID, isProvisioned: Bool)
    case hand(InstanceID, to: CallID)
    case refuse(CallID, InstanceRefusal)
    /// The call is answered with the error of an instance that did not become ready.
    case fail(CallID, InstanceStartFailure)
    case stop(InstanceID, InstanceStopReason)
    /// Send `.timer` at that time, and not at the one ordered before.
    case setTimer(Instant)
}

/// Why a call got no instance.
package enum InstanceRefusal: Hashable, Sendable {
    case tooManyWaiting(limit: Int)
    case waitedTooLong(Duration)
    case deadlinePassed
    case closed
}

/// How urgently a pool wants one more instance.
package enum InstanceAppetite: Hashable, Sendable, Comparable {
    /// Ahead of calls that may come.
    case ahead
    /// Provisioned.
    case promised
    /// A call waits.
    case calls
}

/// A pool in numbers.
package struct InstancePoolCounts: Hashable, Sendable {
    // Now.
    package var starting = 0
    package var idle = 0
    package var busy = 0
    package var stopping = 0
    package var waiting = 0
    package var peak = 0
    // Since the pool was made.
    package var calls = 0
    /// Calls that found no instance free when they came.
    package var waitedCalls = 0
    package var refusedCalls = 0
    package var launched = 0
    package var failedStarts = 0
    /// Stopped because another function needed their memory.
    package var evicted = 0
    /// The last failed start.
    package var lastFailure: InstanceStartFailure?

    package init() {}
}

/// Provisioned instances in numbers, as GetProvisionedConcurrencyConfig tells them.
package struct Provisioning: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case inProgress = "IN_PROGRESS"
        case ready = "READY"
        case failed = "FAILED"
    }

    package var requested: Int
    /// Started, ready or not.
    package var allocated: Int
    /// Ready.
    package var available: Int
    package var state: State
    /// Why it failed.
    package var reason: String?

    package init(requested: Int, allocated: Int, available: Int, state: State, reason: String? = nil) {
        self.requested = requested
        self.allocated = allocated
        self.available = available
        self.state = state
        self.reason = reason
    }
}
