import JSON
import KubeObjects
import Linux
import Synchronization

/// Writes the status of one pod: the newest of what is offered, one write at a time, and nothing that is written
/// already.
///
/// Invariants
/// 1. What was offered last is written last. (test: `the last status offered is the last one written`)
/// 2. A status that will change in a moment waits for that moment, at most `pause`.
///    (test: `a status that is about to change is not written twice`)
final class StatusWriter: Sendable {
    typealias Render = @Sendable (_ old: JSONValue) -> JSONValue

    private struct State {
        var offered: Render?
        var isWriting = false
        var timer: Task<Void, Never>?
        var waiters: [CheckedContinuation<Void, Never>] = []
        var latest: KubeObject
        var isOver = false
    }

    /// How long a status that is about to change is held back.
    static let pause = Duration.milliseconds(40)

    private let client: any ObjectClient
    private let state: Mutex<State>
    private let note: @Sendable (String) -> Void

    init(client: any ObjectClient, pod: KubeObject, note: @escaping @Sendable (String) -> Void) {
        self.client = client
        self.note = note
        state = Mutex(State(latest: pod))
    }

    /// The object has changed.
    func see(_ pod: KubeObject) { state.withLock { $0.latest = pod } }

    /// - Parameter isSettled: whether nothing is under way that changes it.
    func offer(isSettled: Bool, _ render: @escaping Render) {
        let starts = state.withLock { state -> Bool in
            guard !state.isOver else { return false }
            state.offered = render
            guard !state.isWriting else { return false }
            if isSettled {
                state.timer?.cancel()
                state.timer = nil
                state.isWriting = true
                return true
            }
            if state.timer == nil { state.timer = Task { await self.writeLater() } }
            return false
        }
        if starts { Task { await self.write() } }
    }

    /// Writes what was offered, and returns when it is written or nobody wants it any more.
    func flush() async {
        await withCheckedContinuation { continuation in
            let (resumes, starts) = state.withLock { state -> (Bool, Bool) in
                guard state.isWriting || state.offered != nil, !state.isOver else { return (true, false) }
                state.waiters.append(continuation)
                state.timer?.cancel()
                state.timer = nil
                let starts = !state.isWriting
                state.isWriting = true
                return (false, starts)
            }
            if resumes { continuation.resume() }
            if starts { Task { await self.write() } }
        }
    }

    /// The object is gone: nothing is written any more.
    func end() {
        let waiters = state.withLock { state in
            state.isOver = true
            state.offered = nil
            state.timer?.cancel()
            state.timer = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func writeLater() async {
        guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
        let starts = state.withLock { state in
            state.timer = nil
            guard !state.isWriting, state.offered != nil else { return false }
            state.isWriting = true
            return true
        }
        if starts { await write() }
    }

    private func write() async {
        var failures = 0
        while let (render, object) = next() {
            do throws(APIFailure) {
                try await write(render, object)
                failures = 0
            } catch {
                if error.code == 404 { return end() }
                failures += 1
                note("write the status of pod \(object.namespace ?? "")/\(object.name): \(error)")
                state.withLock { if $0.offered == nil { $0.offered = render } }
                try? await Task.sleep(for: .milliseconds(min(5000, 50 << min(failures, 7))))
            }
        }
    }

    /// What is to be written next; nil when there is nothing, which ends the writing.
    private func next() -> (Render, KubeObject)? {
        let (found, waiters) = state.withLock { state -> ((Render, KubeObject)?, [CheckedContinuation<Void, Never>]) in
            if let render = state.offered, !state.isOver {
                state.offered = nil
                return ((render, state.latest), [])
            }
            state.isWriting = false
            defer { state.waiters = [] }
            return (nil, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return found
    }

    private func write(_ render: Render, _ object: KubeObject) async throws(APIFailure) {
        let uid = object.uid
        var object = object
        let status = render(object.status)
        guard status != object.status else { return }
        object.status = status
        let written: KubeObject
        do throws(APIFailure) { written = try await client.update(.pods, object, subresource: "status") } catch {
            guard error.code == 409 else { throw error }
            written = try await client.modify(.pods, namespace: object.namespace, object.name, subresource: "status") {
                current throws(APIFailure) in
                guard current.uid == uid else { throw .notFound(.pods, current.name) }
                let status = render(current.status)
                guard status != current.status else { return false }
                current.status = status
                return true
            }
        }
        state.withLock { $0.latest = written }
    }
}
