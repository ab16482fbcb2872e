package import Linux
package import NodeLogs
import Synchronization

/// How a node writes its log.
package struct NodeLogSettings: Hashable, Sendable {
    package var format = LogFormat.text
    /// What is less is not written.
    package var level = LogLevel.info
    /// A line for each call, whatever the level.
    package var logsCalls = false

    package init(format: LogFormat = .text, level: LogLevel = .info, logsCalls: Bool = false) {
        self.format = format
        self.level = level
        self.logsCalls = logsCalls
    }
}

/// What the node has to say while it runs: lines on standard error.
///
/// A reader that is gone must not stop the node, so an error of writing is dropped: there is no other place to tell it. Lines of
/// calls are gathered and written by a thread that may wait; a reader that is too slow for them loses some, and reads how many.
///
/// Invariants (tests in NodeLogTests)
/// 1. Lines come whole, and in the order of their times as far as one thread wrote them. (`lines of many threads come whole`)
/// 2. A reader that does not read costs bounded memory, and no call waits for it. (`a reader that is too slow loses lines of calls and hears of it`)
package final class NodeLog: Sendable {
    /// Lines of calls that wait to be written, bytes.
    static let waitingLimit = 1 << 20
    /// How long lines of calls wait for others to be written with.
    private static let pause = Duration.milliseconds(50)

    private struct Waiting {
        var bytes: [UInt8] = []
        var lost = 0
        var isPlanned = false
    }

    private let settings: NodeLogSettings
    private let descriptor: Int32
    private let now: @Sendable () -> Timestamp
    private let instead: (@Sendable (String) -> Void)?
    private let waiting = Mutex(Waiting())
    /// Held while bytes are written, so that lines are not mixed.
    private let pen = Mutex(())

    /// - Parameters:
    ///   - descriptor: what is written to; it stays the caller's.
    ///   - instead: takes sentences in place of lines: for tests. Calls are told to nobody then.
    package init(
        _ settings: NodeLogSettings = NodeLogSettings(), descriptor: Int32 = 2,
        now: @escaping @Sendable () -> Timestamp = { Clock.now() }, instead: (@Sendable (String) -> Void)? = nil
    ) {
        self.settings = settings
        self.descriptor = descriptor
        self.now = now
        self.instead = instead
    }

    /// A sentence of a part of the node.
    package func write(_ level: LogLevel, _ part: String, _ sentence: String) {
        write(LogEvent(level, part, sentence))
    }

    /// An event, at once: the caller waits until the line is written.
    package func write(_ event: LogEvent) {
        guard event.level >= settings.level else { return }
        if let instead { return instead(event.message) }
        let line = settings.format.line(event, time: "\(now())")
        put { $0 + line }
    }

    /// What a part tells its troubles to: sentences of level `warn`.
    package func note(_ part: String) -> @Sendable (String) -> Void { { self.write(.warn, part, $0) } }

    /// Takes a line for each call; nil unless they are wanted. Never waits.
    package var calls: CallLog? {
        guard instead == nil, settings.logsCalls || settings.level == .debug else { return nil }
        return { self.enqueue($0) }
    }

    private func enqueue(_ event: LogEvent) {
        let line = settings.format.line(event, time: "\(now())")
        let mustPlan = waiting.withLock { waiting in
            guard waiting.bytes.count + line.count <= Self.waitingLimit else {
                waiting.lost += 1
                return false
            }
            waiting.bytes += line
            defer { waiting.isPlanned = true }
            return !waiting.isPlanned
        }
        guard mustPlan else { return }
        Task {
            try? await Task.sleep(for: Self.pause)
            // Beyond what the pool holds they are written here: a line late is better than none.
            do throws(SystemError) { try await BlockingPool.shared.run { self.flush() } } catch { self.flush() }
        }
    }

    /// Writes what waits. The last call of a node that ends.
    package func flush() { put { $0 } }

    private func put(_ complete: ([UInt8]) -> [UInt8]) {
        pen.withLock { _ in
            let (bytes, lost) = waiting.withLock { waiting in
                defer { waiting = Waiting() }
                return (waiting.bytes, waiting.lost)
            }
            var all = bytes
            if lost > 0 {
                var event = LogEvent(.warn, "node", "the log's reader is too slow: lines of calls were left out")
                event.add("lines", lost)
                all += settings.format.line(event, time: "\(now())")
            }
            all = complete(all)
            if !all.isEmpty { try? Files.writeAll(all, to: descriptor) }
        }
    }
}
