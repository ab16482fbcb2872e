internal import Linux
internal import Synchronization

/// Reading and writing whole streams that are somebody else's open files.
enum PayloadStreams {
    private static let chunkBytes = 64 << 10

    static func readAll(_ source: SharedFD?, limit: Int) async throws(SystemError) -> [UInt8] {
        guard let source else { return [] }
        let isFile = (try? Files.status(of: source.raw).kind) == .regular
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            if !isFile { try await Readiness.shared.readable(source.raw) }
            guard let count = try Files.readAvailable(source.raw, into: &room) else { continue }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else {
                throw SystemError("read", "standard input", code: .messageTooLong)
            }
            bytes += room[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to sink: SharedFD?) async throws(SystemError) {
        guard let sink, !bytes.isEmpty else { return }
        let isFile = (try? Files.status(of: sink.raw).kind) == .regular
        try await StreamCarrying.pass(bytes[...], to: sink, isFile: isFile)
    }
}

/// The first signal that ends a program which does not handle it, signal(7).
final class EndingSignal: Sendable {
    private struct State {
        var number: Int32?
        var handler: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    /// Ignored unless handled: SIGCHLD, SIGCONT, the stops, SIGURG, SIGWINCH.
    private static let harmless: Set<Int32> = [17, 18, 19, 20, 21, 22, 23, 28]

    var number: Int32? { state.withLock { $0.number } }

    func arrived(_ number: Int32) {
        if Self.harmless.contains(number) { return }
        let handler = state.withLock { state in
            state.number = state.number ?? number
            return state.handler
        }
        handler?()
    }

    func onSignal(_ handler: @escaping @Sendable () -> Void) {
        let isThere = state.withLock { state in
            state.handler = handler
            return state.number != nil
        }
        if isThere { handler() }
    }
}
