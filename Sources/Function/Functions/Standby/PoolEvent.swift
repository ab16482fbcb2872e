/// One copy of a program in a pool, from the order to start it until it is gone. Never used again.
package struct InstanceID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var number: UInt64
    package init(_ number: UInt64) { self.number = number }
    package static func < (a: InstanceID, b: InstanceID) -> Bool { a.number < b.number }
    package var description: String { "instance \(number)" }
}

/// One call to a pool. The worker numbers them.
package struct CallID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var number: UInt64
    package init(_ number: UInt64) { self.number = number }
    package static func < (a: CallID, b: CallID) -> Bool { a.number < b.number }
    package var description: String { "call \(number)" }
}

/// What happens to a pool.
package enum PoolEvent: Hashable, Sendable {
    case callArrived(CallID)
    /// The caller does not want an answer any more, whether it waits or has an instance.
    case callerLeft(CallID)
    /// The program has been executed.
    case instanceStarted(InstanceID)
    case instanceFailedToStart(InstanceID, reason: String)
    /// It was seen waiting for its input.
    case instanceReady(InstanceID)
    /// The process is gone; `how` completes "the program ...", as in "exited with status 0".
    case instanceEnded(InstanceID, how: String)
    /// Whether it waits for its input cannot be told, so that it cannot be kept on standby.
    case readinessUnknown(InstanceID, reason: String)
    case timer
    case configurationChanged(PoolConfiguration)
    /// No new calls; those that wait are still served.
    case drain
    /// No new calls; those that wait are refused; those that run go on.
    case close
}

/// What a pool wants done. The worker does it in this order.
package enum PoolAction: Hashable, Sendable {
    case start(InstanceID)
    case hand(InstanceID, to: CallID, HandOver)
    case refuse(CallID, PoolError)
    case stop(InstanceID)
    /// Send `.timer` at that time, and not at the one ordered before.
    case setTimer(Instant)
}

/// What a call is told about the instance that it gets.
package struct HandOver: Hashable, Sendable {
    /// How long the call waited for it.
    package var queued: Duration
    /// Whether the instance was waiting at its first read; if not, the call also pays for the rest of its start.
    package var wasReady: Bool
    /// From the order to start it until it was seen ready; nil if it never was.
    package var startedIn: Duration?
}

/// A pool in numbers.
package struct PoolCounts: Hashable, Sendable {
    // Now.
    package var starting = 0
    package var ready = 0
    package var busy = 0
    package var stopping = 0
    package var waiting = 0
    // Since the pool was made.
    package var calls = 0
    /// Calls that did not find a ready instance when they came.
    package var coldCalls = 0
    package var refusedCalls = 0
    /// Instances that ended, or failed to start, without ever serving a call, and were not told to stop.
    package var failedInstances = 0
    /// The last such failure.
    package var lastFailure: String?
    /// From the order to start until ready, of the instance that became ready last.
    package var lastStart: Duration?

    package init() {}
}
