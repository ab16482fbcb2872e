package import Linux
import Synchronization

/// Reads a container's log: the last lines, those since a time, and what comes while it runs.
///
/// Invariants
/// 1. Following, each line comes once and in order, also across rotations, as long as the reader is not more than one
///    file behind. (test: `a follower reads on across rotations`)
/// 2. A follower ends after the last line of a program that has ended.
///    (test: `a follower ends when the program has ended and all was read`)
package struct LogReader: Sendable {
    private let directory: String
    private let tail: Int?
    private let since: Timestamp?

    /// - Parameters:
    ///   - tail: only so many of the last lines that are there at the start.
    ///   - since: only lines written then or later.
    package init(directory: String, tail: Int? = nil, since: Timestamp? = nil) {
        self.directory = directory
        self.tail = tail
        self.since = since
    }

    /// Reads what is there.
    package func read(
        _ deliver: ([LogLine]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        var cursor = LogCursor(directory: directory, since: since)
        try await pass(&cursor, isFirst: true, isLast: true, deliver)
    }

    /// Reads what is there and what comes, until `untilEnded` has returned and everything was read.
    ///
    /// - Parameter caughtUp: called once, when what was there has been read: whatever is written from then on comes.
    package func follow(
        untilEnded: @escaping @Sendable () async -> Void, caughtUp: () async throws(NodeFailure) -> Void = {},
        _ deliver: ([LogLine]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        var cursor = LogCursor(directory: directory, since: since)
        let changes = try watch()
        let end = EndMark()
        let ending = Task {
            await untilEnded()
            end.set()
        }
        defer { ending.cancel() }
        var isFirst = true
        while true {
            // Asked before reading: what was written before the end is read after it.
            let hasEnded = end.isSet
            changes.forget()
            try await pass(&cursor, isFirst: isFirst, isLast: hasEnded, deliver)
            if isFirst { try await caughtUp() }
            if hasEnded { return }
            isFirst = false
            await end.wait(orReadable: changes.raw)
            if Task.isCancelled { throw NodeFailure(.cancelled, "following the log was taken back") }
        }
    }

    /// Reads to the present end.
    private func pass(
        _ cursor: inout LogCursor, isFirst: Bool, isLast: Bool,
        _ deliver: ([LogLine]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        var kept: [LogLine] = []
        while let lines = try await Self.next(&cursor) {
            guard isFirst, let tail else {
                try await deliver(lines)
                continue
            }
            kept += lines
            // Dropped in large steps: one line at a time would move the rest each time.
            if kept.count > 2 * tail + 1024 { kept.removeFirst(kept.count - tail) }
        }
        if isLast { kept += cursor.finish() }
        if isFirst, let tail, kept.count > tail { kept.removeFirst(kept.count - tail) }
        if !kept.isEmpty { try await deliver(kept) }
    }

    private static func next(_ cursor: inout LogCursor) async throws(NodeFailure) -> [LogLine]? {
        do { return try await cursor.next() } catch {
            throw NodeFailure(error.code == .canceled ? .cancelled : .system, "read the log: \(error)")
        }
    }

    private func watch() throws(NodeFailure) -> Changes {
        do { return Changes(try FileWatch(directory: directory)) } catch {
            throw NodeFailure(.system, "follow the log: \(error)")
        }
    }
}

/// A watch that tasks can hold.
private final class Changes: Sendable {
    private let watch: FileWatch

    init(_ watch: consuming FileWatch) { self.watch = watch }

    var raw: CInt { watch.fd.raw }
    func forget() { _ = watch.drain() }
}

/// Says that a program has ended, and wakes who waits for a change of its log.
private final class EndMark: Sendable {
    private let state = Mutex<(isSet: Bool, wait: Task<Void, Never>?)>((false, nil))

    var isSet: Bool { state.withLock { $0.isSet } }

    func set() {
        let wait = state.withLock { state in
            state.isSet = true
            return state.wait
        }
        wait?.cancel()
    }

    /// Waits until the descriptor is readable, the mark is set or the task is cancelled.
    func wait(orReadable fd: CInt) async {
        let wait = Task { _ = try? await Readiness.shared.readable(fd) }
        let isSet = state.withLock { state in
            state.wait = wait
            return state.isSet
        }
        if isSet { wait.cancel() }
        await withTaskCancellationHandler { await wait.value } onCancel: { wait.cancel() }
    }
}
