import Images
import Registry
import Synchronization

/// Pulls that are under way: who needs the same image with the same credentials waits for the one that has begun.
///
/// Invariants
/// 1. Of one image and one set of credentials there is one pull at a time, and all who wait get what it brings.
///    (test: `pods that need the same image at once pull it once`)
/// 2. Who is cancelled waits no longer; a pull that nobody waits for is taken back.
///    (test: `a pull goes on while somebody waits for it, and no longer`)
final class SharedPulls: Sendable {
    typealias Outcome = Result<StoredImage, RegistryFailure>

    struct Key: Hashable, Sendable {
        var image: String
        var credentials: [Credentials]
    }

    private struct Pull {
        var number: Int
        var task: Task<Void, Never>
        var waiting: [Int: CheckedContinuation<Outcome?, Never>] = [:]
    }

    private struct State {
        var next = 0
        var pulls: [Key: Pull] = [:]

        mutating func number() -> Int {
            next += 1
            return next
        }
    }

    private let state = Mutex(State())

    /// Waits for the pull of an image, which `pull` does when none is under way.
    /// - Returns: nil when the caller was cancelled.
    func outcome(_ key: Key, _ pull: @escaping @Sendable () async -> Outcome) async -> Outcome? {
        let caller = state.withLock { $0.number() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { wake in
                let isWaiting = state.withLock { state in
                    // Who is cancelled after this look finds the entry below.
                    guard !Task.isCancelled else { return false }
                    if state.pulls[key] == nil { state.pulls[key] = begin(key, state.number(), pull) }
                    state.pulls[key]?.waiting[caller] = wake
                    return true
                }
                if !isWaiting { wake.resume(returning: nil) }
            }
        } onCancel: {
            leave(key, caller)
        }
    }

    /// How many wait for the pull of an image.
    func waiting(for key: Key) -> Int { state.withLock { $0.pulls[key]?.waiting.count ?? 0 } }

    private func begin(_ key: Key, _ number: Int, _ pull: @escaping @Sendable () async -> Outcome) -> Pull {
        let task = Task {
            let outcome = await pull()
            let done = self.state.withLock { state in
                // One that was taken back may have a successor.
                state.pulls[key]?.number == number ? state.pulls.removeValue(forKey: key) : nil
            }
            for wake in (done?.waiting ?? [:]).values { wake.resume(returning: outcome) }
        }
        return Pull(number: number, task: task)
    }

    private func leave(_ key: Key, _ caller: Int) {
        let (wake, abandoned) = state.withLock {
            state -> (CheckedContinuation<Outcome?, Never>?, Task<Void, Never>?) in
            let wake = state.pulls[key]?.waiting.removeValue(forKey: caller)
            guard wake != nil, state.pulls[key]?.waiting.isEmpty == true else { return (wake, nil) }
            return (wake, state.pulls.removeValue(forKey: key)?.task)
        }
        abandoned?.cancel()
        wake?.resume(returning: nil)
    }
}

/// The pulls that one pod waits for. A pod that is to end waits for none.
/// (test: `a pod that waits for a registry that does not answer goes when it is deleted`)
final class PullWaits: Sendable {
    private struct State {
        var isOver = false
        var next = 0
        var tasks: [Int: Task<SharedPulls.Outcome?, Never>] = [:]
    }

    private let state = Mutex(State())

    /// - Returns: nil when the pod is to end.
    func outcome(_ wait: @escaping @Sendable () async -> SharedPulls.Outcome?) async -> SharedPulls.Outcome? {
        let task = Task { await wait() }
        let number = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.next += 1
            state.tasks[state.next] = task
            return state.next
        }
        if number == nil { task.cancel() }
        let outcome = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if let number { state.withLock { $0.tasks[number] = nil } }
        return outcome
    }

    func end() {
        let tasks = state.withLock { state in
            state.isOver = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }
}
