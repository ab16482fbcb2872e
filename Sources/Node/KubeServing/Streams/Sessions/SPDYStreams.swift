internal import KubeObjects
internal import Synchronization

/// The protocols of exec and attach by SPDY, the newest first: each stream says in its headers which it is.
enum StreamProtocol: String, CaseIterable {
    case v5 = "v5.channel.k8s.io"
    case v4 = "v4.channel.k8s.io"
    case v3 = "v3.channel.k8s.io"
    case v2 = "v2.channel.k8s.io"
    case v1 = "channel.k8s.io"

    var hasStatus: Bool { self == .v5 || self == .v4 }
    var hasSizes: Bool { self != .v2 && self != .v1 }

    /// The first that the client named and that is known; a client that names none speaks the oldest.
    static func chosen(_ asked: [String]) -> StreamProtocol? {
        asked.isEmpty ? .v1 : asked.lazy.compactMap { StreamProtocol(rawValue: $0) }.first
    }
}

/// A client of exec or attach by SPDY.
final class SPDYStreams: StreamClient {
    /// Until a client has opened all streams it asked for, as kubelet waits.
    private static let openTimeout = Duration.seconds(30)

    private enum Role: String {
        case status = "error"
        case input = "stdin"
        case output = "stdout"
        case errors = "stderr"
        case size = "resize"
    }

    private struct State {
        var streams: [Role: UInt32] = [:]
        var roles: [UInt32: Role] = [:]
        var sizes = TerminalSizes()
        /// What came before all streams were open.
        var early: [ClientEvent] = []
    }

    private let connection: SPDYConnection
    private let version: StreamProtocol
    private let expected: Int
    private let state = Mutex(State())

    init(_ link: any ByteLink, _ version: StreamProtocol, _ options: PodStreamOptions) {
        connection = SPDYConnection(link)
        self.version = version
        let wanted = [
            true, options.stdin, options.stdout, options.stderr && !options.tty, options.tty && version.hasSizes,
        ]
        expected = wanted.count { $0 }
    }

    /// Waits until the client has opened its streams; false when it does not.
    func open() async -> Bool {
        let deadline = Task { [connection] in
            try await Task.sleep(for: Self.openTimeout)
            connection.abort()
        }
        defer { deadline.cancel() }
        while state.withLock({ $0.streams.count < expected }) {
            guard let events = await connection.next() else { return false }
            state.withLock { state in
                let made = take(events, &state)
                state.early += made
            }
        }
        return true
    }

    func next() async -> [ClientEvent]? {
        let early = state.withLock { state in
            defer { state.early = [] }
            return state.early
        }
        if !early.isEmpty { return early }
        while let events = await connection.next() {
            let made = state.withLock { take(events, &$0) }
            if !made.isEmpty { return made }
        }
        return nil
    }

    private func take(_ events: [SPDYDecoder.Event], _ state: inout State) -> [ClientEvent] {
        var made: [ClientEvent] = []
        for event in events {
            switch event {
            case .opened(let stream, let headers, let isLast):
                guard let role = headers["streamtype"].flatMap(Role.init), state.streams[role] == nil else {
                    connection.reset(stream)
                    continue
                }
                state.streams[role] = stream
                state.roles[stream] = role
                if isLast, role == .input { made.append(.inputEnd) }
            case .data(let stream, let bytes, let isLast):
                switch state.roles[stream] {
                case .input:
                    if !bytes.isEmpty { made.append(.input(bytes)) }
                    if isLast { made.append(.inputEnd) }
                case .size: made += state.sizes.take(bytes).map { .size($0) }
                case .status, .output, .errors, nil: break
                }
            case .reset(let stream): if state.roles[stream] == .input { made.append(.inputEnd) }
            case .ping, .goAway: break
            }
        }
        return made
    }

    func send(_ bytes: [UInt8], _ stream: OutputStream) async -> Bool {
        // A client that asked for no such stream does not miss it.
        guard let id = state.withLock({ $0.streams[stream == .output ? .output : .errors] }) else { return true }
        return await connection.send(bytes, on: id)
    }

    func end(_ outcome: StreamOutcome) async {
        let streams = state.withLock { $0.streams }
        for role in [Role.output, .errors] { if let stream = streams[role] { connection.end(stream) } }
        if let stream = streams[.status] {
            connection.end(stream, version.hasStatus ? outcome.status : outcome.message)
        }
        connection.close()
    }

    func ping() { connection.ping() }
    func abort() { connection.abort() }
    func whenGone(_ action: @escaping @Sendable () -> Void) { connection.whenGone(action) }
}
