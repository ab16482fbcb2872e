import Engine
package import KubeObjects
import Linux
import Synchronization

extension PodAgent {
    package func log(_ target: PodTarget, _ options: PodLogOptions) async throws(APIFailure) -> any APIParts {
        let worker = try find(target)
        let (name, life) = try container(target, worker)
        var attempt = life.run?.attempt ?? life.nextAttempt - 1
        if options.previous {
            // What a container that waits for its next run shows as its last state is the previous one, too.
            let isWaiting = life.run == nil && !worker.machine.isShownAsEnded(life)
            if !isWaiting { attempt -= 1 }
            guard attempt >= 0 else {
                throw .badRequest("previous terminated container \"\(name)\" in pod \"\(target.name)\" not found")
            }
        }
        guard attempt >= 0 else {
            let reason = life.waiting?.reason ?? "ContainerCreating"
            let words =
                reason == "ContainerCreating" || reason == "PodInitializing"
                ? reason : "trying and failing to pull image"
            throw .badRequest("container \"\(name)\" in pod \"\(target.name)\" is waiting to start: \(words)")
        }
        var since: Timestamp?
        if let seconds = options.sinceSeconds {
            since = Timestamp(
                nanoseconds: surroundings.now().nanoseconds - Int(clamping: min(max(seconds, 0), 1 << 32))
                    * 1_000_000_000)
        } else if let text = options.sinceTime {
            guard let time = Timestamp(text) else {
                throw .badRequest("sinceTime: \"\(text)\" is no time as RFC 3339 has it")
            }
            since = time
        }
        let request = ReadLogs(
            container: PodNaming.name(pod: target.uid, container: name, attempt: attempt),
            follow: options.follow && !options.previous,
            tail: options.tailLines.map { Int(clamping: max(0, $0)) }, since: since)
        // Said now rather than as an answer that breaks off.
        do throws(NodeFailure) { _ = try surroundings.engine.inspect(request.container) } catch {
            throw APIFailure(error)
        }
        return LogParts(
            surroundings.engine, request, hasTimes: options.timestamps, stream: options.stream,
            limit: options.limitBytes.map { Int(clamping: max(0, $0)) })
    }
}

/// A log as parts of an answer. The reader waits for whoever takes the parts.
///
/// Invariant: at most one part waits; a log that nobody takes is read no further.
/// (test: `a log is given with times, from the end and up to a number of bytes`)
final class LogParts: APIParts {
    private let gate = Gate()
    private let task: Task<Void, Never>

    init(_ engine: ContainerEngine, _ request: ReadLogs, hasTimes: Bool, stream: PodLogOptions.Stream?, limit: Int?) {
        let gate = gate
        let wanted: LogLine.Stream? = stream.map { $0 == .output ? .stdout : .stderr }
        task = Task {
            var left = limit ?? .max
            var isAtLineStart = true
            try? await engine.readLogs(request) { lines throws(NodeFailure) in
                var bytes: [UInt8] = []
                for line in lines where wanted == nil || line.stream == wanted {
                    if hasTimes, isAtLineStart { bytes += Array("\(line.time) ".utf8) }
                    bytes += line.content
                    if line.isComplete { bytes.append(UInt8(ascii: "\n")) }
                    isAtLineStart = line.isComplete
                }
                if bytes.count > left { bytes.removeLast(bytes.count - left) }
                left -= bytes.count
                let isTaken = bytes.isEmpty ? true : await gate.put(bytes)
                guard isTaken, left > 0 else { throw NodeFailure(.cancelled, "enough was read") }
            }
            gate.finish()
        }
    }

    func next() async -> [UInt8]? { await gate.take() }

    func cancel() {
        task.cancel()
        gate.finish()
    }
}

/// Hands pieces from one task to another, one at a time.
final class Gate: Sendable {
    private struct State {
        var piece: [UInt8]?
        var isOver = false
        var putter: CheckedContinuation<Bool, Never>?
        var taker: CheckedContinuation<[UInt8]?, Never>?
    }

    private let state = Mutex(State())

    /// Returns when it was taken; false when nobody will.
    func put(_ piece: [UInt8]) async -> Bool {
        await withCheckedContinuation { continuation in
            let (taker, isOver) = state.withLock { state -> (CheckedContinuation<[UInt8]?, Never>?, Bool) in
                if state.isOver { return (nil, true) }
                if let taker = state.taker {
                    state.taker = nil
                    return (taker, false)
                }
                precondition(state.piece == nil && state.putter == nil, "one task puts")
                state.piece = piece
                state.putter = continuation
                return (nil, false)
            }
            if isOver { return continuation.resume(returning: false) }
            guard let taker else { return }
            taker.resume(returning: piece)
            continuation.resume(returning: true)
        }
    }

    /// The next piece; nil at the end.
    func take() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let (found, putter, waits) = state.withLock {
                state -> ([UInt8]?, CheckedContinuation<Bool, Never>?, Bool) in
                if let piece = state.piece {
                    defer { (state.piece, state.putter) = (nil, nil) }
                    return (piece, state.putter, false)
                }
                if state.isOver { return (nil, nil, false) }
                precondition(state.taker == nil, "one task takes")
                state.taker = continuation
                return (nil, nil, true)
            }
            putter?.resume(returning: true)
            if !waits { continuation.resume(returning: found) }
        }
    }

    /// What was put can still be taken.
    func finish() {
        let (taker, putter) = state.withLock { state in
            state.isOver = true
            defer { (state.taker, state.putter) = (nil, nil) }
            return (state.taker, state.putter)
        }
        putter?.resume(returning: false)
        taker?.resume(returning: nil)
    }
}
