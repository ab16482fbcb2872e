internal import Glibc
import Linux
import Synchronization

/// Begins calls on a schedule, whether or not those before have ended, and counts each one's time from its intended arrival:
/// a rung that stalls is charged for every call that came meanwhile (no coordinated omission).
///
/// A thread of its own keeps the schedule; calls run as tasks. At most `inFlight` calls run at once: further ones begin later,
/// and their waiting is in their latency like any other.
///
/// Invariants:
/// 1. Latency is from the intended arrival. Test: `a stall is charged to every call that arrived in it`.
/// 2. Every arrival is a call, unless the run is taken back. What has not begun long after the schedule's end is one that has
///    lasted until then and did not end well. Test: `every arrival is a call`.
package final class OpenLoad: Sendable {
    package struct Settings: Sendable {
        /// Calls at once, at most, over all streams.
        package var inFlight = 128
        /// Nanoseconds after which a call is ended.
        package var limit = 10_000_000_000
        /// How long after the schedule's end calls may end without counting against the rate, nanoseconds.
        package var grace = 10_000_000

        package init(inFlight: Int = 128, limit: Int = 10_000_000_000, grace: Int = 10_000_000) {
            self.inFlight = inFlight
            self.limit = limit
            self.grace = grace
        }
    }

    package typealias Call = @Sendable (WorkloadCall) async throws(ComparisonError) -> CallSample

    private struct Counts {
        var latency = LatencyHistogram()
        var failures = FailureTally()
        var calls = 0
        var running = 0
        var lastEnd = 0
        var good = 0
    }

    private struct State {
        var streams: [Counts]
        var delays = LatencyHistogram()
        var tasks: [Int: Task<Void, Never>] = [:]
        var backlog = 0
        var isDispatched = false
        var isStopped = false
        var whenDone: CheckedContinuation<Void, Never>?
    }

    private let settings: Settings
    private let arrivals: [WorkloadArrival]
    private let duration: Int
    private let limits: [Int?]
    private let call: Call
    private let state: Mutex<State>
    private let running = Atomic<Int>(0)

    private init(
        _ arrivals: [WorkloadArrival], _ duration: Int, _ limits: [Int?], _ settings: Settings, _ call: @escaping Call
    ) {
        self.arrivals = arrivals
        self.duration = duration
        self.limits = limits
        self.settings = settings
        self.call = call
        state = Mutex(State(streams: limits.map { _ in Counts() }))
    }

    /// Runs the schedule to its end and waits for every call; when the task is cancelled, takes back what runs.
    ///
    /// - Parameters:
    ///   - limits: for each stream how many of its calls may run at once; nil: as many as arrive.
    /// - Returns: what all streams gave together, and each by itself.
    package static func run(
        _ arrivals: [WorkloadArrival], duration: Int, limits: [Int?], _ settings: Settings, _ call: @escaping Call
    ) async throws(ComparisonError) -> (all: LoadPoint, streams: [LoadPoint]) {
        guard !arrivals.isEmpty else { throw ComparisonError("no call arrives in this time") }
        let load = OpenLoad(arrivals, duration, limits, settings, call)
        let began = Clock.monotonicNanoseconds()
        do { try HelperThread.start("forkless-arrivals") { load.dispatch(from: began) } } catch {
            throw ComparisonError("\(error)")
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = load.state.withLock { state in
                    if state.isDispatched, state.tasks.isEmpty { return true }
                    state.whenDone = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            load.stop()
        }
        if Task.isCancelled { throw ComparisonError("the load was taken back") }
        return load.points(began)
    }

    private func stop() {
        let tasks = state.withLock { state in
            state.isStopped = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    // The thread.

    private func dispatch(from began: Int) {
        let last = began + max(Self.patience * duration, duration + Self.leastPatience)
        for (index, arrival) in arrivals.enumerated() {
            sleep(until: began + arrival.nanoseconds)
            let isLate = waitForRoom(arrival.call.stream, until: last)
            guard !state.withLock({ $0.isStopped }) else { break }
            guard Clock.monotonicNanoseconds() < last else {
                giveUp(arrivals[index...], began)
                break
            }
            begin(index, arrival.call, intended: began + arrival.nanoseconds, countsDelay: !isLate)
        }
        state.withLock { $0.backlog = $0.tasks.count }
        finish { $0.isDispatched = true }
    }

    /// How long calls are begun that came in the schedule's time, as a multiple of it and beyond it at least, nanoseconds: a
    /// rate that is far too high would be worked off for minutes.
    private static let patience = 3
    private static let leastPatience = 5_000_000_000

    /// Counts arrivals that are not begun any more as calls that have lasted until now and did not end well.
    private func giveUp(_ rest: ArraySlice<WorkloadArrival>, _ began: Int) {
        let now = Clock.monotonicNanoseconds()
        state.withLock { state in
            for arrival in rest {
                state.streams[arrival.call.stream].calls += 1
                state.streams[arrival.call.stream].latency.record(now - began - arrival.nanoseconds)
                state.streams[arrival.call.stream].lastEnd = max(now, state.streams[arrival.call.stream].lastEnd)
            }
        }
    }

    /// Waits while as many calls run as may; whether it had to.
    private func waitForRoom(_ stream: Int, until last: Int) -> Bool {
        var hadTo = false
        while running.load(ordering: .relaxed) >= settings.inFlight || isFull(stream) {
            if Clock.monotonicNanoseconds() >= last || state.withLock({ $0.isStopped }) { return true }
            hadTo = true
            sleep(until: Clock.monotonicNanoseconds() + 100_000)
        }
        return hadTo
    }

    private func isFull(_ stream: Int) -> Bool {
        guard let limit = limits[stream] else { return false }
        return state.withLock { $0.streams[stream].running } >= limit
    }

    private func begin(_ index: Int, _ call: WorkloadCall, intended: Int, countsDelay: Bool) {
        running.add(1, ordering: .relaxed)
        state.withLock { state in
            state.streams[call.stream].running += 1
            // Under the lock, so that a call that ends at once finds its task.
            state.tasks[index] = Task {
                if countsDelay {
                    let delay = Clock.monotonicNanoseconds() - intended
                    self.state.withLock { $0.delays.record(delay) }
                }
                await self.perform(index, call, intended)
            }
        }
    }

    private func perform(_ index: Int, _ call: WorkloadCall, _ intended: Int) async {
        let fault: CallFault?
        do throws(ComparisonError) { fault = try await self.call(call).failure } catch {
            fault = CallFault(.unreachable, error.description)
        }
        let ended = Clock.monotonicNanoseconds()
        running.subtract(1, ordering: .relaxed)
        finish { state in
            state.tasks[index] = nil
            state.streams[call.stream].running -= 1
            guard !state.isStopped else { return }
            state.streams[call.stream].calls += 1
            state.streams[call.stream].lastEnd = max(ended, state.streams[call.stream].lastEnd)
            state.streams[call.stream].latency.record(ended - intended)
            if let fault {
                state.streams[call.stream].failures.add(
                    CallFailure(call: index + 1, kind: fault.kind, reason: fault.reason))
            } else {
                state.streams[call.stream].good += 1
            }
        }
    }

    private func finish(_ change: (inout State) -> Void) {
        let done = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            guard state.isDispatched, state.tasks.isEmpty else { return nil }
            defer { state.whenDone = nil }
            return state.whenDone
        }
        done?.resume()
    }

    /// clock_nanosleep(2) to a time, on the dispatching thread; in parts, so that a run that is taken back does not last.
    private func sleep(until time: Int) {
        var now = Clock.monotonicNanoseconds()
        while now < time {
            let until = min(time, now + Self.longestSleep)
            var at = timespec(tv_sec: until / 1_000_000_000, tv_nsec: until % 1_000_000_000)
            while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nil) == EINTR {}
            if until < time, state.withLock({ $0.isStopped }) { return }
            now = Clock.monotonicNanoseconds()
        }
    }

    private static let longestSleep = 50_000_000

    // What came of it.

    private func points(_ began: Int) -> (all: LoadPoint, streams: [LoadPoint]) {
        let state = state.withLock { $0 }
        let delay = state.delays.value(atPercentile: 99)
        func point(_ counts: Counts, _ arrived: Int, backlog: Int) -> LoadPoint {
            let took = counts.lastEnd - began
            let seconds = Double(took <= duration + settings.grace ? duration : took) / 1e9
            return LoadPoint(
                offeredPerSecond: Double(arrived) * 1e9 / Double(duration),
                achievedPerSecond: Double(counts.good) / seconds,
                latency: counts.latency, calls: counts.calls, failures: counts.failures, backlogAtEnd: backlog,
                driverDelayNanoseconds: delay)
        }
        var all = Counts()
        for counts in state.streams {
            all.latency.add(counts.latency)
            all.failures.add(counts.failures)
            all.calls += counts.calls
            all.good += counts.good
            all.lastEnd = max(all.lastEnd, counts.lastEnd)
        }
        let arrived = arrivals.reduce(into: state.streams.map { _ in 0 }) { $0[$1.call.stream] += 1 }
        return (
            point(all, arrivals.count, backlog: state.backlog),
            zip(state.streams, arrived).map { point($0, $1, backlog: 0) }
        )
    }
}
