internal import Synchronization

/// A clock that stands still until a test moves it.
///
/// Invariants (each with a test in ManualClockTests):
/// 1. Time never goes back.
/// 2. A sleeper wakes when the clock has reached its deadline, never before; sleepers wake in the order of
///    their deadlines, those of one deadline in the order in which they lay down.
/// 3. A cancelled sleeper wakes at once with `CancellationError`.
package final class ManualClock: Clock, Sendable {
    /// A point on this clock, counted from its start.
    package struct Instant: InstantProtocol, CustomStringConvertible {
        package var sinceStart: Duration

        package init(sinceStart: Duration) { self.sinceStart = sinceStart }

        package func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
        package func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
        package static func < (a: Instant, b: Instant) -> Bool { a.sinceStart < b.sinceStart }
        package var description: String { "\(sinceStart) after the start" }
    }

    private struct Sleeper {
        var ticket: Int
        var deadline: Instant
        var wake: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(sinceStart: .zero)
        var nextTicket = 0
        var sleepers: [Sleeper] = []
        /// Tickets cancelled before their sleeper had lain down.
        var cancelledEarly: Set<Int> = []
    }

    private let state = Mutex(State())

    package init() {}

    package var now: Instant { state.withLock { $0.now } }
    package var minimumResolution: Duration { .zero }

    /// How many tasks sleep on this clock now.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Moves time forward and wakes everybody whose deadline has come.
    package func advance(by duration: Duration) {
        precondition(duration >= .zero, "time does not go back")
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let now = state.now
            let due = state.sleepers.filter { $0.deadline <= now }
            state.sleepers.removeAll { $0.deadline <= now }
            return due
        }
        let inOrder = due.sorted { ($0.deadline, $0.ticket) < ($1.deadline, $1.ticket) }
        for sleeper in inOrder { sleeper.wake.resume() }
    }

    /// Waits (in real time) until at least `count` tasks sleep on this clock: only then is it of use to advance.
    package func untilSleeping(_ count: Int = 1) async throws {
        try await eventually("\(count) sleepers on the manual clock") { sleeperCount >= count }
    }

    package func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { lieDown(ticket, until: deadline, $0) }
        } onCancel: {
            cancel(ticket)
        }
    }

    private func lieDown(_ ticket: Int, until deadline: Instant, _ wake: CheckedContinuation<Void, any Error>) {
        enum Outcome { case sleeps, isDue, isCancelled }
        let outcome = state.withLock { state -> Outcome in
            if state.cancelledEarly.remove(ticket) != nil { return .isCancelled }
            if deadline <= state.now { return .isDue }
            state.sleepers.append(Sleeper(ticket: ticket, deadline: deadline, wake: wake))
            return .sleeps
        }
        switch outcome {
        case .sleeps: break
        case .isDue: wake.resume()
        case .isCancelled: wake.resume(throwing: CancellationError())
        }
    }

    private func cancel(_ ticket: Int) {
        let sleeper = state.withLock { state -> Sleeper? in
            guard let index = state.sleepers.firstIndex(where: { $0.ticket == ticket }) else {
                // Either it has not lain down yet or it has woken; in the second case the note is never read.
                state.cancelledEarly.insert(ticket)
                return nil
            }
            return state.sleepers.remove(at: index)
        }
        sleeper?.wake.resume(throwing: CancellationError())
    }
}
