internal import Linux
internal import Synchronization

/// What one instance prints: read from its pipe by the log's thread, and by whoever needs what was printed until now
/// (the end of a call), cut into lines, and handed to the function's log, the tail of the call and the telemetry.
///
/// Standard output and error share the pipe, as they share the stream in the service: the order in which lines were
/// printed is kept.
///
/// Invariants (with their tests in InstanceOutputTests)
/// 1. However the bytes are cut, the same lines come out; a line beyond `lineBytes` comes in parts.
///    (`lines come out whole however they were read`)
/// 2. A tail has at most `tailBytes`, the last ones. (`the tail keeps the last bytes`)
final class InstanceOutput: Sendable {
    /// The longest line of a log; longer ones come in parts.
    static let lineBytes = 16 << 10
    /// What `X-Amz-Log-Result` shows.
    static let tailBytes = 4 << 10

    enum Reading { case more, empty, ended }

    let log: FunctionLog
    private let pipe: SharedFD
    private let stream: LogStream
    /// Takes each line for telemetry; nil while nobody subscribes.
    typealias LineTaker = @Sendable (ArraySlice<UInt8>, Timestamp) -> Void

    private struct State {
        var rest: [UInt8] = []
        var tail: [UInt8] = []
        var hasEnded = false
        var token: UInt64 = 0
        var onLine: LineTaker?
    }

    private let state = Mutex(State())

    /// - Parameter pipe: the reading end, non-blocking.
    init(_ pipe: SharedFD, log: FunctionLog, stream: LogStream = .output) {
        self.pipe = pipe
        self.log = log
        self.stream = stream
    }

    var descriptor: CInt { pipe.raw }

    var token: UInt64 {
        get { state.withLock { $0.token } }
        set { state.withLock { $0.token = newValue } }
    }

    func onLine(_ take: LineTaker?) { state.withLock { $0.onLine = take } }

    /// Reads what is there, so many times at most.
    func read(times: Int) -> Reading {
        state.withLock { state in
            withUnsafeTemporaryAllocation(byteCount: Self.chunkBytes, alignment: 16) { room in
                for _ in 0..<times {
                    guard !state.hasEnded else { return .ended }
                    guard let count = try? Files.readAvailable(pipe.raw, into: room) ?? -1, count != 0 else {
                        end(&state)
                        return .ended
                    }
                    if count < 0 { return .empty }
                    take(Array(room[..<count])[...], &state)
                }
                return .more
            }
        }
    }

    /// Small enough for the stack.
    private static let chunkBytes = 16 << 10

    private func end(_ state: inout State) {
        state.hasEnded = true
        guard !state.rest.isEmpty else { return }
        let rest = state.rest
        state.rest = []
        keep([rest[...]], isComplete: false, &state)
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ state: inout State) {
        var lines: [ArraySlice<UInt8>] = []
        var at = bytes.startIndex
        while let end = bytes[at...].firstIndex(of: 10) {
            if state.rest.isEmpty {
                lines.append(bytes[at..<end])
            } else {
                lines.append((state.rest + bytes[at..<end])[...])
                state.rest = []
            }
            at = end + 1
        }
        if !lines.isEmpty { keep(lines, isComplete: true, &state) }
        state.rest += bytes[at...]
        while state.rest.count > Self.lineBytes {
            keep([state.rest.prefix(Self.lineBytes)], isComplete: false, &state)
            state.rest.removeFirst(Self.lineBytes)
        }
    }

    private func keep(_ lines: [ArraySlice<UInt8>], isComplete: Bool, _ state: inout State) {
        let time = Clock.now()
        log.add(lines, isComplete: isComplete, stream, at: time)
        for line in lines {
            state.tail += line.suffix(Self.tailBytes)
            if isComplete { state.tail.append(10) }
            if state.tail.count > 2 * Self.tailBytes { state.tail.removeFirst(state.tail.count - Self.tailBytes) }
            state.onLine?(line, time)
        }
    }

    /// Writes a line of the service's own.
    func say(_ line: String) {
        state.withLock { state in
            let bytes = Array(line.utf8)
            log.add([bytes[...]], stream, at: Clock.now())
            state.tail += bytes
            state.tail.append(10)
        }
    }

    /// A call begins: its tail is empty but for this line.
    func beginCall(_ line: String?) {
        state.withLock { $0.tail.removeAll(keepingCapacity: true) }
        if let line { say(line) }
    }

    /// Takes in what was printed until now, at most what a pipe holds: what fills it again meanwhile is a flood, and
    /// the thread's.
    func catchUp() { _ = read(times: 4) }

    /// The last bytes of the call's log.
    var tail: [UInt8] { state.withLock { Array($0.tail.suffix(Self.tailBytes)) } }
}
