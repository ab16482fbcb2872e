import Linux
import Synchronization

/// Cancels work that takes longer than it may: one look at all of it every few milliseconds, so that watching a call costs it
/// next to nothing.
package final class HangWatch: Sendable {
    package static let shared = HangWatch()

    private struct State {
        var entries: [Int: Entry] = [:]
        var lastID = 0
        var isLooking = false
    }

    private struct Entry {
        var deadline: Int
        var isUp = false
        var cancel: @Sendable () -> Void
    }

    private static let lookMilliseconds = 20
    private let state = Mutex(State())

    private init() {}

    /// Runs `body`, and cancels its task when `nanoseconds` are up. The body then has to end what it began.
    ///
    /// - Returns: nil when the time was up, whatever the body made of that.
    package func limited<Value: Sendable>(
        nanoseconds: Int, _ body: @escaping @Sendable () async throws(ComparisonError) -> Value
    ) async throws(ComparisonError) -> Value? {
        let task = Task { () -> Result<Value, ComparisonError> in
            do throws(ComparisonError) { return .success(try await body()) } catch { return .failure(error) }
        }
        let id = add(deadline: Self.deadline(after: nanoseconds)) { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if remove(id) { return nil }
        return try result.get()
    }

    /// When so much time will be up; a limit of centuries is one that is never reached.
    static func deadline(after nanoseconds: Int) -> Int {
        let (deadline, isBeyond) = Clock.monotonicNanoseconds().addingReportingOverflow(nanoseconds)
        return isBeyond ? .max : deadline
    }

    private func add(deadline: Int, _ cancel: @escaping @Sendable () -> Void) -> Int {
        let (id, begins) = state.withLock { state in
            state.lastID += 1
            state.entries[state.lastID] = Entry(deadline: deadline, cancel: cancel)
            let begins = !state.isLooking
            state.isLooking = true
            return (state.lastID, begins)
        }
        if begins { Task { await self.look() } }
        return id
    }

    /// Whether its time was up.
    private func remove(_ id: Int) -> Bool { state.withLock { $0.entries.removeValue(forKey: id)?.isUp ?? false } }

    private func look() async {
        while true {
            try? await Task.sleep(for: .milliseconds(Self.lookMilliseconds))
            let now = Clock.monotonicNanoseconds()
            let (late, isOver) = state.withLock { state in
                var late: [@Sendable () -> Void] = []
                for (id, entry) in state.entries where entry.deadline <= now && !entry.isUp {
                    state.entries[id]!.isUp = true
                    late.append(entry.cancel)
                }
                if state.entries.isEmpty { state.isLooking = false }
                return (late, state.entries.isEmpty)
            }
            for cancel in late { cancel() }
            if isOver { return }
        }
    }
}
