import Linux
import Synchronization
import TestKit

@testable import Functions

/// Instances that do what the test says, and books about everything that was asked.
final class FakeProvider: InstanceProvider {
    struct Life {
        var isReady = false
        var wasStopped = false
        var timesAskedForEnd = 0
        var end: InstanceEnd?
        var waiter: CheckedContinuation<InstanceEnd, Never>?
    }

    struct State {
        var lives: [String: Life] = [:]
        var failsToStart: String?
        var cannotBeWatched: String?
        var isReadyAtOnce = true
        var endsAtOnce = false
        var closings = 0
        var highestAlive = 0
    }

    let state = Mutex(State())

    init(isReadyAtOnce: Bool = true) { state.withLock { $0.isReadyAtOnce = isReadyAtOnce } }

    func start() async throws(InstanceFailure) -> StartedInstance {
        let started: Result<(String, Int32), InstanceFailure> = state.withLock { state in
            if let reason = state.failsToStart { return .failure(InstanceFailure(reason)) }
            let number = state.lives.count + 1
            var life = Life(isReady: state.isReadyAtOnce)
            if state.endsAtOnce { life.end = InstanceEnd(.ended(.exited(0))) }
            state.lives["fake-\(number)"] = life
            state.highestAlive = max(state.highestAlive, state.lives.values.count { $0.end == nil })
            return .success(("fake-\(number)", Int32(number)))
        }
        let (name, pid) = try started.get()
        do {
            let pipes = [try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends()]
            return StartedInstance(
                name: name, pid: pid,
                streams: InstanceStreams(input: pipes[0].writer, output: pipes[1].reader, errors: pipes[2].reader))
        } catch {
            throw InstanceFailure("\(error)")
        }
    }

    func isWaitingForInput(_ instance: StartedInstance) async throws(InstanceFailure) -> Bool {
        let (reason, isReady) = state.withLock { ($0.cannotBeWatched, $0.lives[instance.name]!.isReady) }
        if let reason { throw InstanceFailure(reason) }
        return isReady
    }

    func stop(_ instance: StartedInstance) async {
        state.withLock { $0.lives[instance.name]!.wasStopped = true }
        finish(instance.name, InstanceEnd(.ended(.signaled(9, coreDumped: false))))
    }

    func end(of instance: StartedInstance) async -> InstanceEnd {
        await withCheckedContinuation { continuation in
            let end: InstanceEnd? = state.withLock { state in
                state.lives[instance.name]!.timesAskedForEnd += 1
                if let end = state.lives[instance.name]!.end { return end }
                state.lives[instance.name]!.waiter = continuation
                return nil
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    func close() async { state.withLock { $0.closings += 1 } }

    /// The instance ends now, unless it has ended before.
    func finish(_ name: String, _ end: InstanceEnd = InstanceEnd(.ended(.exited(0)))) {
        let waiter = state.withLock { state -> CheckedContinuation<InstanceEnd, Never>? in
            guard state.lives[name]!.end == nil else { return nil }
            state.lives[name]!.end = end
            let waiter = state.lives[name]!.waiter
            state.lives[name]!.waiter = nil
            return waiter
        }
        waiter?.resume(returning: end)
    }

    var running: [String] { state.withLock { state in state.lives.filter { $0.value.end == nil }.map(\.key).sorted() } }
    func wasStopped(_ name: String) -> Bool { state.withLock { $0.lives[name]!.wasStopped } }

    /// What a worker owes every provider when all is over.
    var debts: [String] {
        state.withLock { state in
            state.lives.sorted { $0.key < $1.key }.flatMap { name, life -> [String] in
                (life.timesAskedForEnd == 1 ? [] : ["\(name) was asked for its end \(life.timesAskedForEnd) times"])
                    + (life.end == nil ? ["\(name) was left running"] : [])
            }
        }
    }
}

/// The manual clock of the test kit as a pool reads it.
struct StandingClock: PoolClock {
    let clock = ManualClock()

    var now: Instant { Instant(nanoseconds: clock.now.sinceStart.wholeNanoseconds) }

    func sleep(until deadline: Instant) async throws(CancellationError) {
        do { try await clock.sleep(until: .init(sinceStart: .nanoseconds(deadline.nanoseconds)), tolerance: nil) } catch {
            throw CancellationError()
        }
    }
}
