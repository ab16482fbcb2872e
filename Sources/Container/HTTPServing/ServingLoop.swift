internal import NIOCore
internal import NIOPosix

/// One thread that serves connections, timers and whatever is confined to it, one after the other.
///
/// What is confined to a loop needs no lock, and handing a call from a connection to an instance on the same loop costs
/// no change of threads.
package final class ServingLoop: Sendable {
    let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Whether the caller is on this loop's thread.
    package var isCurrent: Bool { eventLoop.inEventLoop }

    /// Traps when the caller is on another thread.
    package func preconditionCurrent() { eventLoop.preconditionInEventLoop() }

    /// Runs work on the loop, after what is under way.
    package func execute(_ work: @escaping @Sendable () -> Void) { eventLoop.execute(work) }

    /// Runs work on the loop after a span of time.
    @discardableResult
    package func schedule(after span: Duration, _ work: @escaping @Sendable () -> Void) -> ScheduledWork {
        let (seconds, attoseconds) = span.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return ScheduledWork(eventLoop.scheduleTask(in: .nanoseconds(max(nanoseconds, 0)), work))
    }

    /// Runs work on the loop and waits for what it gives.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in execute { continuation.resume(returning: work()) } }
    }
}

/// Work that is to be done later, unless it is cancelled.
package struct ScheduledWork: Sendable {
    private let task: Scheduled<Void>

    init(_ task: Scheduled<Void>) { self.task = task }

    /// No effect when the work has been done.
    package func cancel() { task.cancel() }
}

/// Some loops, each with a thread of its own.
package final class ServingLoops: Sendable {
    let group: MultiThreadedEventLoopGroup
    package let loops: [ServingLoop]

    package init(count: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        loops = Array(group.makeIterator()).map { ServingLoop($0) }
    }

    /// Ends the threads. Nothing may be served any more.
    package func shutDown() async { try? await group.shutdownGracefully() }
}

/// A value that only the thread of its loop may touch, carried through closures that may be run anywhere.
///
/// This is the one place where the compiler's check of concurrency is replaced by a check at run time.
package struct LoopBound<Value>: @unchecked Sendable {
    private let bound: Value
    package let loop: ServingLoop

    package init(_ value: Value, on loop: ServingLoop) {
        bound = value
        self.loop = loop
    }

    /// The value. Traps on another thread.
    package var value: Value {
        loop.preconditionCurrent()
        return bound
    }
}
