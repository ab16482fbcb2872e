internal import JSON
internal import KubeObjects
internal import Synchronization

/// The subprotocols of exec and attach by WebSocket: the first byte of a message is its channel.
enum ChannelProtocol: String, CaseIterable {
    /// With a signal that a stream is closed.
    case v5 = "v5.channel.k8s.io"
    /// With a Status on the error channel.
    case v4 = "v4.channel.k8s.io"
    case v4Base64 = "v4.base64.channel.k8s.io"
    case plain = "channel.k8s.io"
    case plainBase64 = "base64.channel.k8s.io"
    /// A client that asked for none.
    case unnamed = ""

    var isBase64: Bool { self == .v4Base64 || self == .plainBase64 }
    var hasStatus: Bool { self == .v5 || self == .v4 || self == .v4Base64 }

    /// The first that the client named and that is known, as kube-apiserver chooses.
    static func chosen(_ asked: [String]) -> ChannelProtocol? {
        if asked.isEmpty { return .unnamed }
        return asked.lazy.compactMap { $0.isEmpty ? nil : ChannelProtocol(rawValue: $0) }.first
    }
}

/// A client of exec or attach by WebSocket.
final class WebSocketStreams: StreamClient {
    private enum Channel {
        static let input: UInt8 = 0
        static let output: UInt8 = 1
        static let errors: UInt8 = 2
        static let status: UInt8 = 3
        static let size: UInt8 = 4
        static let closing: UInt8 = 255
    }

    /// Longest message of base64, which is decoded as a whole, bytes.
    private static let textLimit = 4 << 20

    private struct State {
        /// Of the message under way.
        var channel: UInt8?
        var text: [UInt8] = []
        var isTooLong = false
        var sizes = TerminalSizes()
    }

    private let socket: WebSocketLink
    private let version: ChannelProtocol
    private let state = Mutex(State())

    init(_ link: any ByteLink, _ version: ChannelProtocol, _ options: PodStreamOptions) {
        socket = WebSocketLink(link)
        self.version = version
        // An empty message on the first channel that the client reads tells it that the streams are there.
        let first = options.stdout ? Channel.output : options.stderr ? Channel.errors : Channel.status
        socket.give(frame([], first))
    }

    func next() async -> [ClientEvent]? {
        while let pieces = await socket.next() {
            let events = state.withLock { state in
                var events: [ClientEvent] = []
                for case .piece(let bytes, let isFirst, let isLast) in pieces {
                    events += version.isBase64 ? text(bytes, isFirst, isLast, &state) : plain(bytes, isFirst, &state)
                }
                return events
            }
            if !events.isEmpty { return events }
        }
        return nil
    }

    private func plain(_ bytes: [UInt8], _ isFirst: Bool, _ state: inout State) -> [ClientEvent] {
        if isFirst { state.channel = nil }
        guard !bytes.isEmpty else { return [] }
        guard let channel = state.channel else {
            state.channel = bytes[0]
            return bytes.count == 1 ? [] : events(Array(bytes[1...]), on: bytes[0], &state)
        }
        return events(bytes, on: channel, &state)
    }

    private func text(_ bytes: [UInt8], _ isFirst: Bool, _ isLast: Bool, _ state: inout State) -> [ClientEvent] {
        if isFirst {
            state.text = []
            state.isTooLong = false
        }
        state.isTooLong = state.isTooLong || state.text.count + bytes.count > Self.textLimit
        if state.isTooLong {
            state.text = []
            if isLast { socket.close(1009, "a message is longer than \(Self.textLimit) bytes") }
            return []
        }
        state.text += bytes
        guard isLast, let first = state.text.first, let channel = UInt8(exactly: Int(first) - 0x30) else { return [] }
        let decoded = Base64.bytes(String(decoding: state.text.dropFirst(), as: UTF8.self))
        state.text = []
        return decoded.map { events($0, on: channel, &state) } ?? []
    }

    private func events(_ bytes: [UInt8], on channel: UInt8, _ state: inout State) -> [ClientEvent] {
        switch channel {
        case Channel.input: bytes.isEmpty ? [] : [.input(bytes)]
        case Channel.size: state.sizes.take(bytes).map { .size($0) }
        case Channel.closing where version == .v5: bytes == [Channel.input] ? [.inputEnd] : []
        default: []
        }
    }

    private func frame(_ bytes: [UInt8], _ channel: UInt8) -> [UInt8] {
        guard version.isBase64 else { return WebSocketEncoder.frame(.binary, first: channel, bytes) }
        return WebSocketEncoder.frame(.text, first: 0x30 + channel, Array(Base64.text(bytes).utf8))
    }

    func send(_ bytes: [UInt8], _ stream: OutputStream) async -> Bool {
        let channel = stream == .output ? Channel.output : Channel.errors
        guard version.isBase64 else { return await socket.send(.binary, first: channel, bytes) }
        return await socket.send(.text, first: 0x30 + channel, Array(Base64.text(bytes).utf8))
    }

    func end(_ outcome: StreamOutcome) async {
        let word = version.hasStatus ? outcome.status : outcome.message
        if !word.isEmpty { socket.give(frame(word, Channel.status)) }
        socket.close(1000, "")
    }

    func ping() { socket.give(WebSocketEncoder.frame(.ping, [])) }
    func abort() { socket.abort() }
    func whenGone(_ action: @escaping @Sendable () -> Void) { socket.whenGone(action) }
}
