internal import JSON
internal import KubeObjects
internal import Synchronization

/// Port-forward by WebSocket channels, as the Python client does it: one connection to each port that the request
/// names, channel 2 i for its data and 2 i + 1 for its errors; each begins with the port, two bytes, the lower first.
final class WebSocketForwarding: Sendable {
    static let protocols: [String] = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"]
    /// More ports than channels have numbers.
    static let portLimit = 128
    /// Longest message of base64, bytes.
    private static let textLimit = 4 << 20

    private struct State {
        var channel: UInt8?
        var text: [UInt8] = []
    }

    private let socket: WebSocketLink
    private let isBase64: Bool
    private let target: PodTarget
    private let ports: [UInt16]
    private let pods: any PodAccess
    private let inputs: [ByteQueue]
    private let state = Mutex(State())

    init(_ link: any ByteLink, isBase64: Bool, _ target: PodTarget, ports: [UInt16], _ pods: any PodAccess) {
        socket = WebSocketLink(link)
        self.isBase64 = isBase64
        self.target = target
        self.ports = ports
        self.pods = pods
        inputs = ports.map { _ in ByteQueue() }
    }

    /// Serves until the client goes or all ports have ended.
    func run() async {
        for (index, port) in ports.enumerated() {
            let word = [UInt8(port & 0xFF), UInt8(port >> 8)]
            socket.give(frame(word, UInt8(index * 2)))
            socket.give(frame(word, UInt8(index * 2 + 1)))
        }
        let reading = Task { await read() }
        await withTaskGroup(of: Void.self) { group in
            for index in ports.indices { group.addTask { await self.forward(index) } }
        }
        socket.close(1000, "")
        reading.cancel()
        await reading.value
    }

    private func forward(_ index: Int) async {
        let work = PortConnection(target: target, port: ports[index], pods: pods)
        let problem = await work.run(inputs[index]) { [socket, isBase64] bytes in
            let channel = UInt8(index * 2)
            if !isBase64 { return await socket.send(.binary, first: channel, bytes) }
            return await socket.send(.text, first: 0x30 &+ channel, Array(Base64.text(bytes).utf8))
        }
        if let problem { socket.give(frame(Array(problem.utf8), UInt8(index * 2 + 1))) }
    }

    private func read() async {
        while let pieces = await socket.next() {
            for case .piece(let bytes, let isFirst, let isLast) in pieces {
                guard let (channel, content) = content(bytes, isFirst, isLast) else { continue }
                guard channel % 2 == 0, Int(channel) / 2 < inputs.count else { continue }
                _ = await inputs[Int(channel) / 2].put(content)
            }
        }
        // The pods read the end, and end in their turn.
        for input in inputs { input.end() }
        socket.abort()
    }

    private func content(_ bytes: [UInt8], _ isFirst: Bool, _ isLast: Bool) -> (UInt8, [UInt8])? {
        state.withLock { state in
            if isFirst {
                state.channel = nil
                state.text = []
            }
            if isBase64 {
                guard state.text.count + bytes.count <= Self.textLimit else {
                    socket.close(1009, "a message is longer than \(Self.textLimit) bytes")
                    return nil
                }
                state.text += bytes
                guard isLast, let first = state.text.first, first >= 0x30,
                    let decoded = Base64.bytes(String(decoding: state.text.dropFirst(), as: UTF8.self))
                else { return nil }
                return (first - 0x30, decoded)
            }
            if let channel = state.channel { return (channel, bytes) }
            guard let first = bytes.first else { return nil }
            state.channel = first
            return (first, Array(bytes.dropFirst()))
        }
    }

    private func frame(_ bytes: [UInt8], _ channel: UInt8) -> [UInt8] {
        guard isBase64 else { return WebSocketEncoder.frame(.binary, first: channel, bytes) }
        return WebSocketEncoder.frame(.text, first: 0x30 &+ channel, Array(Base64.text(bytes).utf8))
    }

    func abort() { socket.abort() }
}
