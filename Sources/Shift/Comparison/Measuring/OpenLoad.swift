internal import Glibc
import Linux
import Synchronization

/// Begins calls on a schedule, whether or not those before have ended, and counts each one's time from its intended arrival:
/// a rung that stalls is charged for every call that came meanwhile (no coordinated omission).
///
/// A thread of its own keeps the schedule; calls run as tasks. At most `inFlight` calls run at once: further ones begin later,
/// and their waiting is in their latency like any other. So do those of a stream of which as many run as may, one behind the
/// other; the schedule goes on meanwhile.
///
/// Invariants:
/// 1. Latency is from the intended arrival. Test: `a stall is charged to every call that arrived in it`.
/// 2. Every arrival is a call, unless the run is taken back. What has not begun long after the schedule's end is one that has
///    lasted until then and did not end well. Tests: `every arrival is a call`,
///    `calls that wait for their turn for too long are not begun`.
/// 3. A stream of which as many calls run as may delays no other stream. Test: `a stream that is full delays no other`.
package final class OpenLoad: Sendable {
    package struct Settings: Sendable {
        /// Calls at once, at most, over all streams.
        package var inFlight = 128
        /// Nanoseconds after which a call is ended.
        package var limit = 10_000_000_000
        /// How long after the schedule's end calls may end without counting against the rate, nanoseconds.
        package var grace = 10_000_000
        /// How long after the schedule's end calls are begun at least, nanoseconds.
        package var leastPatience = 5_000_000_000

        package init(
            inFlight: Int = 128, limit: Int = 10_000_000_000, grace: Int = 10_000_000,
            leastPatience: Int = 5_000_000_000
        ) {
            self.inFlight = inFlight
            self.limit = limit
            self.grace = grace
            self.leastPatience = leastPatience
        }
    }

    package typealias Call = @Sendable (WorkloadCall) async throws(ComparisonError) -> CallSample
    package typealias Look = @Sendable (WorkloadCall, CallSample) -> Void

    private struct Counts {
        var latency = LatencyHistogram()
        var failures = FailureTally()
        var calls = 0
        var running = 0
        var lastEnd = 0
        var good = 0
        /// Arrivals that wait until a call of the stream ends, in order. There are none unless as many run as may, so that one
        /// of those will begin them.
        var waiting: ArraySlice<Int> = []
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
    private let look: Look
    private let began = Clock.monotonicNanoseconds()
    private let state: Mutex<State>
    private let running = Atomic<Int>(0)

    private init(
        _ arrivals: [WorkloadArrival], _ duration: Int, _ limits: [Int?], _ settings: Settings,
        _ call: @escaping Call, _ look: @escaping Look
    ) {
        self.arrivals = arrivals
        self.duration = duration
        self.limits = limits
        self.settings = settings
        self.call = call
        self.look = look
        state = Mutex(State(streams: limits.map { _ in Counts() }))
    }

    /// Runs the schedule to its end and waits for every call; when the task is cancelled, takes back what runs.
    ///
    /// - Parameters:
    ///   - limits: for each stream how many of its calls may run at once; nil: as many as arrive.
    ///   - look: gets what each call gave that was made, after its time was taken and its place given up.
    /// - Returns: what all streams gave together, and each by itself.
    package static func run(
        _ arrivals: [WorkloadArrival], duration: Int, limits: [Int?], _ settings: Settings, _ call: @escaping Call,
        look: @escaping Look = { _, _ in }
    ) async throws(ComparisonError) -> (all: LoadPoint, streams: [LoadPoint]) {
        guard !arrivals.isEmpty else { throw ComparisonError("no call arrives in this time") }
        let load = OpenLoad(arrivals, duration, limits, settings, call, look)
        do { try HelperThread.start("forkless-arrivals") { load.dispatch() } } catch {
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
        return load.points()
    }

    private func stop() {
        let tasks = state.withLock { state in
            state.isStopped = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    // The thread.

    private func dispatch() {
        for (index, arrival) in arrivals.enumerated() {
            sleep(until: began + arrival.nanoseconds)
            if waitsForItsTurn(index) { continue }
            let isLate = waitForRoom()
            guard !state.withLock({ $0.isStopped }) else { break }
            guard Clock.monotonicNanoseconds() < last else {
                state.withLock { giveUp(index..<arrivals.count, &$0) }
                break
            }
            begin(index, countsDelay: !isLate)
        }
        state.withLock { state in
            state.backlog = state.streams.reduce(0) { $0 + $1.running + $1.waiting.count }
        }
        finish { $0.isDispatched = true }
    }

    /// How long calls are begun that came in the schedule's time, as a multiple of it: a rate that is far too high would be
    /// worked off for minutes.
    private static let patience = 3

    /// After this nothing is begun.
    private var last: Int { began + max(Self.patience * duration, duration + settings.leastPatience) }

    /// Counts arrivals that are not begun any more as calls that have lasted until then and did not end well.
    private func giveUp(_ rest: some Sequence<Int>, _ state: inout State) {
        for index in rest {
            let stream = arrivals[index].call.stream
            state.streams[stream].calls += 1
            state.streams[stream].latency.record(last - began - arrivals[index].nanoseconds)
            state.streams[stream].lastEnd = max(last, state.streams[stream].lastEnd)
        }
    }

    /// Puts an arrival behind those of its stream that wait, if as many calls of it run as may.
    private func waitsForItsTurn(_ index: Int) -> Bool {
        let stream = arrivals[index].call.stream
        guard let limit = limits[stream] else { return false }
        return state.withLock { state in
            guard state.streams[stream].running >= limit, !state.isStopped else { return false }
            state.streams[stream].waiting.append(index)
            return true
        }
    }

    /// Waits while as many calls run as may, of all streams together; whether it had to.
    private func waitForRoom() -> Bool {
        var hadTo = false
        while running.load(ordering: .relaxed) >= settings.inFlight {
            if Clock.monotonicNanoseconds() >= last || state.withLock({ $0.isStopped }) { return true }
            hadTo = true
            sleep(until: Clock.monotonicNanoseconds() + 100_000)
        }
        return hadTo
    }

    private func begin(_ index: Int, countsDelay: Bool) {
        state.withLock { state in
            guard !state.isStopped else { return }
            running.add(1, ordering: .relaxed)
            start(index, countsDelay: countsDelay, &state)
        }
    }

    /// Under the lock, so that a call that ends at once finds its task.
    private func start(_ index: Int, countsDelay: Bool, _ state: inout State) {
        state.streams[arrivals[index].call.stream].running += 1
        state.tasks[index] = Task {
            if countsDelay {
                let delay = Clock.monotonicNanoseconds() - self.intended(index)
                self.state.withLock { $0.delays.record(delay) }
            }
            await self.perform(index)
        }
    }

    private func intended(_ index: Int) -> Int { began + arrivals[index].nanoseconds }

    private func perform(_ index: Int) async {
        let call = arrivals[index].call
        let given: Result<CallSample, ComparisonError>
        do throws(ComparisonError) { given = .success(try await self.call(call)) } catch { given = .failure(error) }
        let ended = Clock.monotonicNanoseconds()
        // Whoever waits for the place does not wait for the look.
        leave(call.stream, at: ended)
        let fault: CallFault?
        switch given {
        case .success(let sample):
            look(call, sample)
            fault = sample.failure
        case .failure(let error): fault = CallFault(.unreachable, error.description)
        }
        finish { state in
            state.tasks[index] = nil
            guard !state.isStopped else { return }
            state.streams[call.stream].calls += 1
            state.streams[call.stream].lastEnd = max(ended, state.streams[call.stream].lastEnd)
            state.streams[call.stream].latency.record(ended - intended(index))
            if let fault {
                state.streams[call.stream].failures.add(
                    CallFailure(call: index + 1, kind: fault.kind, reason: fault.reason))
            } else {
                state.streams[call.stream].good += 1
            }
        }
    }

    /// Gives up the place of a call that has ended: to the next of its stream that waits, if there is one.
    private func leave(_ stream: Int, at ended: Int) {
        let isTaken = state.withLock { state -> Bool in
            state.streams[stream].running -= 1
            // What runs is being taken back, and nothing is counted any more.
            guard !state.isStopped else { return false }
            guard ended < last else {
                let late = state.streams[stream].waiting
                state.streams[stream].waiting = []
                giveUp(late, &state)
                return false
            }
            guard let next = state.streams[stream].waiting.popFirst() else { return false }
            start(next, countsDelay: false, &state)
            return true
        }
        if !isTaken { running.subtract(1, ordering: .relaxed) }
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

    private func points() -> (all: LoadPoint, streams: [LoadPoint]) {
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
