internal import Glibc
package import Linux
internal import Synchronization

/// The thread that reads what instances print and writes the logs of their functions: one for the whole node.
///
/// It waits for all pipes at once. What an instance prints beyond what the thread can take stays in its pipe, and so
/// holds up the instance that prints, and nobody else.
///
/// Invariants (with their tests in LogThreadTests)
/// 1. What was said before the close is written when it returns, and nothing is written after it.
///    (`a close writes what was said before it, and nothing is written after it`)
package final class LogThread: Sendable {
    private let directory: String
    private let poll: Poll
    private let wake: (reader: SharedFD, writer: SharedFD)
    /// Has a byte once the thread has written its last.
    private let done: (reader: SharedFD, writer: SharedFD)

    private struct State {
        var outputs: [UInt64: InstanceOutput] = [:]
        var logs: [String: FunctionLog] = [:]
        var dirty: [FunctionLog] = []
        var lastToken: UInt64 = 0
        /// Whether there is a thread.
        var isRunning = false
        var isClosed = false
    }

    private let state = Mutex(State())

    /// How long lines wait to be written with others.
    private static let delayMilliseconds: CInt = 20

    /// - Parameter directory: of all functions' logs.
    package init(directory: String) throws(SystemError) {
        self.directory = directory
        poll = try Poll()
        let pipe = try Files.pipe(nonBlocking: true).ends()
        wake = (pipe.reader, pipe.writer)
        let end = try Files.pipe(nonBlocking: true).ends()
        done = (end.reader, end.writer)
        try poll.add(wake.reader.raw, .readable, token: 0)
    }

    /// The log of a function.
    package func log(of name: String) -> FunctionLog {
        state.withLock { state in
            if let log = state.logs[name] { return log }
            let log = FunctionLog(directory: "\(directory)/\(name)") { [weak self] in self?.mark($0) }
            state.logs[name] = log
            return log
        }
    }

    /// The directory of a function's log, whether or not it has written anything.
    package func directory(of name: String) -> String { "\(directory)/\(name)" }

    /// Writes everything that waits, on a thread that may block.
    package func flushAll() {
        let logs = state.withLock { state in
            state.dirty = []
            return Array(state.logs.values)
        }
        for log in logs { log.flush() }
    }

    /// Reads an output from now on, until its end.
    func add(_ output: InstanceOutput) throws(SystemError) {
        try start()
        let token = state.withLock { state in
            state.lastToken += 1
            state.outputs[state.lastToken] = output
            return state.lastToken
        }
        do { try poll.add(output.descriptor, .readable, token: token) } catch {
            state.withLock { $0.outputs[token] = nil }
            throw error
        }
        output.token = token
    }

    /// Reads it no more.
    func remove(_ output: InstanceOutput) {
        let token = output.token
        guard state.withLock({ $0.outputs.removeValue(forKey: token) }) != nil else { return }
        poll.remove(output.descriptor)
    }

    /// Ends the thread once everything is written, and waits for that. What is said later is lost.
    package func close() async {
        let isRunning = state.withLock { state in
            state.isClosed = true
            return state.isRunning
        }
        guard isRunning else { return }
        wakeUp()
        // Not resumed by the thread itself, which is about to end.
        let end = done.reader
        _ = try? await BlockingPool.shared.run { () throws(SystemError) in
            try Descriptors.isReadable(end.raw, withinMilliseconds: -1)
        }
    }

    private func start() throws(SystemError) {
        let isFirst = state.withLock { state in
            guard !state.isRunning, !state.isClosed else { return false }
            state.isRunning = true
            return true
        }
        guard isFirst else { return }
        do {
            try HelperThread.start("forkless-logs") {
                self.run()
                self.ended()
            }
        } catch {
            ended()
            throw error
        }
    }

    /// Nothing is written any more, unless another thread is started.
    private func ended() {
        let isClosed = state.withLock { state in
            state.isRunning = false
            return state.isClosed
        }
        if isClosed { _ = try? Files.writeAvailable([1], to: done.writer.raw) }
    }

    private func mark(_ log: FunctionLog) {
        let isFirst = state.withLock { state in
            guard !state.isClosed else { return false }
            state.dirty.append(log)
            return state.dirty.count == 1
        }
        // A log can be written before any instance is there.
        if isFirst { try? start() }
        if isFirst { wakeUp() }
    }

    private func wakeUp() { _ = try? Files.writeAvailable([1], to: wake.writer.raw) }

    private func run() {
        var events: [Poll.Event] = []
        while true {
            do { try poll.wait(into: &events) } catch { preconditionFailure("\(error)") }
            for event in events { take(event) }
            let (hasDirty, isClosed) = state.withLock { (!$0.dirty.isEmpty, $0.isClosed) }
            if hasDirty {
                // What comes meanwhile goes into the same write; pipes hold what is printed.
                Clock.pauseBlocking(milliseconds: isClosed ? 0 : Self.delayMilliseconds)
                let dirty = state.withLock { state in
                    defer { state.dirty = [] }
                    return state.dirty
                }
                for log in dirty { log.flush() }
            }
            if isClosed { return }
        }
    }

    private func take(_ event: Poll.Event) {
        if event.token == 0 {
            while let bytes = try? Files.readSome(wake.reader.raw, count: 4096), bytes.count == 4096 {}
            return
        }
        guard let output = state.withLock({ $0.outputs[event.token] }) else { return }
        if output.read(times: 8) == .ended { remove(output) }
        if output.log.isFull { output.log.flush() }
    }
}
