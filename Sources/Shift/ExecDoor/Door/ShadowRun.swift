internal import Linux
internal import Synchronization

/// A call that the original answers while a target does the same for comparison.
///
/// The original waits for nothing of this: the target is started beside it, and what it writes is kept here.
///
/// Invariants
/// 1. Whatever becomes of the target, the caller gets what the original gives.
///    (test: `a shadowed call is answered as by the original`)
final class ShadowRun: Sendable {
    private let call: ShimCall
    private let target: any CallTarget
    private let rules: ShadowRules
    /// How long a target may go on when the original was killed.
    private static let afterSignal = Duration.seconds(1)
    private let ended = Mutex<(record: CallRecord?, waiter: CheckedContinuation<CallRecord, Never>?)>((nil, nil))

    init(_ call: ShimCall, _ target: any CallTarget, _ rules: ShadowRules) {
        self.call = call
        self.target = target
        self.rules = rules
    }

    /// The measured record of the original, when it has ended.
    func originalEnded(_ record: CallRecord) {
        let waiter = ended.withLock { ended in
            ended.record = record
            defer { ended.waiter = nil }
            return ended.waiter
        }
        waiter?.resume(returning: record)
    }

    private func original() async -> CallRecord {
        await withCheckedContinuation { continuation in
            let record = ended.withLock { ended in
                if ended.record == nil { ended.waiter = continuation }
                return ended.record
            }
            if let record { continuation.resume(returning: record) }
        }
    }

    /// Runs the target until both are over, and completes the record.
    func run(_ streams: ShadowStreams) async -> CallRecord {
        let limit = rules.keptBytes
        async let outputSeen = Self.see(streams.output, limit)
        async let errorsSeen = Self.see(streams.errors, limit)
        let running = Task { await self.runTarget(streams) }
        var record = await original()
        let originalFiles = await originalFiles()
        // A signal was meant for both.
        let wasKilled = if case .signaled? = record.answer?.status { true } else { false }
        let watching = Task {
            try? await Task.sleep(for: wasKilled ? min(rules.patience, Self.afterSignal) : rules.patience)
            if !Task.isCancelled { running.cancel() }
        }
        let side = await running.value
        watching.cancel()
        record.way = .shadow
        var (output, isOutputWhole) = await outputSeen
        var (errors, isErrorsWhole) = await errorsSeen
        if case .file(let file, let start) = streams.output {
            (output, isOutputWhole) = (StreamCapture.read(file, from: start, keeping: limit), true)
        }
        if case .file(let file, let start) = streams.errors {
            (errors, isErrorsWhole) = (StreamCapture.read(file, from: start, keeping: limit), true)
        }
        var reason = side.reason
        if !isOutputWhole || !isErrorsWhole { reason = reason ?? "a copy of the original's output is not whole" }
        record.shadow = ShadowOutcome(
            outcome: reason == nil ? side.outcome : nil, reason: reason, originalOutput: output, originalErrors: errors,
            targetOutput: side.output, targetErrors: side.errors)
        let files = LeftFile.pairs(originalFiles, side.files)
        record.shadow?.originalFiles = files.original
        record.shadow?.targetFiles = files.target
        return record
    }

    /// What the original has left, before the next call writes it.
    private func originalFiles() async -> [LeftFile] {
        let outputs = call.outputs
        guard !outputs.isEmpty else { return [] }
        return (try? await BlockingPool.shared.run { () throws(SystemError) in outputs.left() }) ?? []
    }

    private static func see(_ side: ShadowStreams.Side, _ limit: Int) async -> (CapturedStream, Bool) {
        switch side {
        case .unseen, .file: return (.unseen, true)
        case .merged:
            var stream = CapturedStream.unseen
            stream.isMerged = true
            return (stream, true)
        case .copy(let copy):
            let (stream, isWhole) = await StreamCapture.read(copy, keeping: limit)
            return (stream, isWhole)
        }
    }

    // The target.

    private struct Side {
        var outcome: CallOutcome?
        var reason: String?
        var output = CapturedStream()
        var errors = CapturedStream()
        var files: [LeftFile] = []
    }

    private func runTarget(_ streams: ShadowStreams) async -> Side {
        var side = Side()
        do throws(SystemError) {
            let isMerged = if case .merged = streams.errors { true } else { false }
            let (own, output, errors, feeding) = try makeStreams(streams, isMerged: isMerged)
            async let outputSeen = StreamCapture.read(output, keeping: rules.keptBytes)
            async let errorsSeen = StreamCapture.read(errors, keeping: rules.keptBytes)
            let started = Clock.monotonicNanoseconds()
            let control = CallControl()
            let end = await target.run(call, own, control)
            side.files = control.left
            // A target that took nothing.
            _ = own.take()
            let wall = Clock.monotonicNanoseconds() - started
            let isInputWhole = await feeding?.value ?? true
            switch end {
            case .ended(let status, let usage):
                side.outcome = CallOutcome(status: status, usage: usage, wallNanoseconds: wall)
                if Task.isCancelled { side.reason = "it took longer than the original and \(rules.patience)" }
                if !isInputWhole { side.reason = side.reason ?? "its copy of the input is not whole" }
            case .refused(let reason), .returned(let reason, _), .lost(let reason): side.reason = reason
            }
            (side.output, _) = await outputSeen
            (side.errors, _) = await errorsSeen
            if isMerged { side.errors.isMerged = true }
        } catch { side.reason = "\(error)" }
        return side
    }

    /// The target's streams and our ends of them. Nobody else holds the target's: they end with it.
    private func makeStreams(
        _ streams: ShadowStreams, isMerged: Bool
    ) throws(SystemError) -> (CallStreams, output: SharedFD, errors: SharedFD, feeding: Task<Bool, Never>?) {
        var outputs = try Files.pipe()
        var failures = try Files.pipe()
        let (input, feeding) = try source(streams)
        let writer = SharedFD(outputs.takeWriter())
        let own = CallStreams(
            input: input, output: writer, errors: isMerged ? writer : SharedFD(failures.takeWriter()))
        return (own, SharedFD(outputs.takeReader()), SharedFD(failures.takeReader()), feeding)
    }

    /// The target's input, and what fills it.
    private func source(_ streams: ShadowStreams) throws(SystemError) -> (SharedFD, Task<Bool, Never>?) {
        if let input = streams.input { return (input, nil) }
        guard let copy = streams.inputCopy else { return (SharedFD(try Files.open("/dev/null", 0)), nil) }
        var pipe = try Files.pipe()
        let writer = SharedFD(pipe.takeWriter())
        return (SharedFD(pipe.takeReader()), Task { await Self.feed(copy, writer) })
    }

    /// Most bytes of input that wait for a target that does not read: the carrier is never made to wait.
    private static let waitingLimit = 64 << 20

    /// Reads the copy as it comes, and writes it on as the target takes it; whether all of it came.
    private static func feed(_ copy: SharedFD, _ writer: SharedFD) async -> Bool {
        let waiting = InputQueue(limit: waitingLimit)
        let writing = Task { await waiting.write(to: writer) }
        var room = [UInt8](repeating: 0, count: 64 << 10)
        var isWhole = false
        do throws(SystemError) {
            try Files.setNonBlocking(copy.raw)
            while true {
                guard let count = try Files.readAvailable(copy.raw, into: &room) else {
                    try await Readiness.shared.readable(copy.raw)
                    continue
                }
                if count == 0 {
                    isWhole = true
                    break
                }
                guard waiting.add(room[..<count]) else { break }
            }
        } catch {}
        waiting.end()
        await writing.value
        return isWhole
    }
}

/// Bytes between a reader that must not wait and a writer that may.
private final class InputQueue: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isOver = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func add(_ bytes: ArraySlice<UInt8>) -> Bool {
        let (isTaken, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.bytes.count + bytes.count <= limit else { return (false, nil) }
            state.bytes += bytes
            defer { state.waiter = nil }
            return (true, state.waiter)
        }
        waiter?.resume()
        return isTaken
    }

    func end() {
        let waiter = state.withLock { state in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Until the end, or until nobody reads; lets go of the writer then.
    func write(to writer: SharedFD) async {
        try? Files.setNonBlocking(writer.raw)
        while true {
            let (bytes, isOver) = state.withLock { state in
                defer { state.bytes = [] }
                return (state.bytes, state.isOver)
            }
            var rest = bytes[...]
            do throws(SystemError) {
                while !rest.isEmpty {
                    if let count = try Files.writeAvailable(rest, to: writer.raw) {
                        rest = rest.dropFirst(count)
                    } else {
                        try await Readiness.shared.writable(writer.raw)
                    }
                }
            } catch { return }
            if bytes.isEmpty, isOver { return }
            if !bytes.isEmpty { continue }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.bytes.isEmpty || state.isOver { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
