import Synchronization

/// Turns "this descriptor can be read or written" into `await`: one epoll thread for the whole process.
///
/// A descriptor is registered for as long as somebody waits and no longer, so there is nothing to forget when
/// it is closed. Whoever waits keeps it open until the wait returns; waiting on a descriptor that somebody
/// else closes is a programmer error, and harms that wait only.
///
/// Invariants
/// 1. Every wait ends exactly once: ready, cancelled or failed. (test: `waits that race with cancellation end once`)
/// 2. An event wakes only waits made on the same registration: what a closed descriptor left behind in the epoll
///    instance wakes nobody who waits on a new one of that number.
///    (test: `a reused descriptor number loses no wake-up and gets no stranger's`)
/// 3. The kernel's interest is the union of the waits' interests; it changes only under the lock.
///    (test: `a reader and a writer wait on one descriptor`)
package final class Readiness: Sendable {
    /// The one of this process; its thread starts with the first wait and stays.
    package static let shared = Readiness()

    /// Waits until a read of `fd` would not block: bytes, the end, an error, or the end of a process by pidfd.
    ///
    /// - Throws: `SystemError`; ECANCELED when the task was cancelled.
    package func readable(_ fd: CInt) async throws(SystemError) { try await ready(fd, .readable) }

    /// Waits until a write to `fd` would not block, or would fail.
    ///
    /// - Throws: `SystemError`; ECANCELED when the task was cancelled.
    package func writable(_ fd: CInt) async throws(SystemError) { try await ready(fd, .writable) }

    /// How many waits on `fd` are under way: for tests and a census.
    package func waits(on fd: CInt) -> Int { state.withLock { $0.registrations[fd]?.waiters.count ?? 0 } }

    private typealias Continuation = UnsafeContinuation<Result<Void, SystemError>, Never>

    private struct Waiter {
        var id: UInt64
        var interest: Poll.Interest
        var continuation: Continuation
    }

    private struct Registration {
        var generation: UInt32
        var waiters: [Waiter]
        /// The union of the waits' interests, one event only: a registration that nobody needs any more and
        /// that cannot be removed (its descriptor was closed, the file is open elsewhere) then fires once at most.
        var interest: Poll.Interest { waiters.reduce(into: .once) { $0.formUnion($1.interest) } }
    }

    private struct State {
        var poll: SharedPoll?
        var registrations: [CInt: Registration] = [:]
        var nextWaiter: UInt64 = 0
        var nextGeneration: UInt32 = 0
    }

    private final class SharedPoll: Sendable {
        let poll: Poll
        init() throws(SystemError) { poll = try Poll() }
    }

    private let state = Mutex(State())

    private init() {}

    private func ready(_ fd: CInt, _ interest: Poll.Interest) async throws(SystemError) {
        let id = state.withLock {
            $0.nextWaiter += 1
            return $0.nextWaiter
        }
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: Continuation) in
                // A task is marked as cancelled before its handler runs. So either the mark is seen here, or
                // the handler takes the lock after this wait is in place and finds it.
                let early: Result<Void, SystemError>? = state.withLock { state in
                    guard !Task.isCancelled else { return .failure(Self.cancelled(fd)) }
                    let waiter = Waiter(id: id, interest: interest, continuation: continuation)
                    do throws(SystemError) { return try add(waiter, to: fd, &state) ? nil : .success(()) } catch {
                        return .failure(error)
                    }
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            cancel(id, on: fd)
        }
        try result.get()
    }

    /// Puts a waiter in place; false: the kernel cannot poll such a file, which means that it never blocks
    /// (epoll_ctl(2), EPERM).
    private func add(_ waiter: Waiter, to fd: CInt, _ state: inout State) throws(SystemError) -> Bool {
        let poll = try started(&state)
        if var registration = state.registrations[fd] {
            registration.waiters.append(waiter)
            do { try poll.poll.change(fd, registration.interest, token: Self.token(fd, registration.generation)) } catch
                where error.code == .noEntry
            {
                // The number is another file's by now. What it was registered for may still be watched, and is
                // told apart by its generation.
                state.nextGeneration &+= 1
                registration.generation = state.nextGeneration
                try poll.poll.add(fd, registration.interest, token: Self.token(fd, registration.generation))
            }
            state.registrations[fd] = registration
            return true
        }
        state.nextGeneration &+= 1
        let registration = Registration(generation: state.nextGeneration, waiters: [waiter])
        do { try poll.poll.add(fd, registration.interest, token: Self.token(fd, registration.generation)) } catch
            where error.code == .notPermitted
        { return false } catch  where error.code == .exists {
            try poll.poll.change(fd, registration.interest, token: Self.token(fd, registration.generation))
        }
        state.registrations[fd] = registration
        return true
    }

    private func cancel(_ id: UInt64, on fd: CInt) {
        let continuation: Continuation? = state.withLock { state in
            guard let index = state.registrations[fd]?.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            let waiter = state.registrations[fd]!.waiters.remove(at: index)
            rearm(fd, &state)
            return waiter.continuation
        }
        continuation?.resume(returning: .failure(Self.cancelled(fd)))
    }

    /// Tells the kernel what is still waited for, or that nothing is.
    private func rearm(_ fd: CInt, _ state: inout State) {
        guard let poll = state.poll, let registration = state.registrations[fd] else { return }
        if registration.waiters.isEmpty {
            state.registrations[fd] = nil
            poll.poll.remove(fd)
            return
        }
        // It cannot fail for a descriptor that is open and registered, which the waits still under way vouch for.
        try? poll.poll.change(fd, registration.interest, token: Self.token(fd, registration.generation))
    }

    private func started(_ state: inout State) throws(SystemError) -> SharedPoll {
        if let poll = state.poll { return poll }
        let poll = try SharedPoll()
        try HelperThread.start("forkless-poll") { self.loop(poll) }
        state.poll = poll
        return poll
    }

    private func loop(_ poll: SharedPoll) -> Never {
        var events: [Poll.Event] = []
        while true {
            do { try poll.poll.wait(into: &events) } catch { preconditionFailure("\(error)") }
            for event in events { deliver(event) }
        }
    }

    private func deliver(_ event: Poll.Event) {
        let fd = CInt(truncatingIfNeeded: event.token)
        let ended = !event.interest.isDisjoint(with: [.hangUp, .failed])
        let woken: [Waiter] = state.withLock { state in
            guard let registration = state.registrations[fd],
                registration.generation == UInt32(truncatingIfNeeded: event.token >> 32)
            else { return [] }
            let woken = registration.waiters.filter { ended || !$0.interest.isDisjoint(with: event.interest) }
            state.registrations[fd]!.waiters.removeAll { ended || !$0.interest.isDisjoint(with: event.interest) }
            // Before anybody is woken: until then the descriptor is open, so its number is not another file's.
            rearm(fd, &state)
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: .success(())) }
    }

    private static func token(_ fd: CInt, _ generation: UInt32) -> UInt64 {
        UInt64(UInt32(bitPattern: fd)) | UInt64(generation) << 32
    }

    private static func cancelled(_ fd: CInt) -> SystemError {
        SystemError("wait for descriptor", "\(fd)", code: .canceled)
    }
}
