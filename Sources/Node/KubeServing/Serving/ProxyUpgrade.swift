internal import HTTPServing
internal import KubeObjects
internal import Linux

/// A request to change the protocol (WebSocket and its like), passed on: once the target has agreed, bytes go both ways as
/// they come.
struct ProxyUpgrade {
    private let target: ProxyTarget
    private let request: APIRequest
    private let path: String
    private let query: String
    private let answer: DoorAnswer
    private let parts: DoorParts

    /// Longest head of a target's answer, bytes, and longest body of one that does not agree.
    private static let headLimit = 64 << 10
    private static let bodyLimit = 1 << 20

    init(
        _ target: ProxyTarget, _ request: APIRequest, _ path: String, _ query: String, _ answer: DoorAnswer,
        _ parts: DoorParts
    ) {
        self.target = target
        self.request = request
        self.path = path
        self.query = query
        self.answer = answer
        self.parts = parts
    }

    func give() async {
        guard !target.isSecure else {
            let failure = APIFailure(
                501, "NotImplemented", "a proxy of https does not change protocols: ask for http, or use port-forward")
            return await answer.whole(APIResponse(failure: failure))
        }
        do throws(SystemError) { try await pass(on: try await connect()) } catch {
            let failure = APIFailure(503, "ServiceUnavailable", "error trying to reach service: \(error)")
            await answer.whole(APIResponse(failure: failure))
        }
    }

    private func connect() async throws(SystemError) -> SharedFD {
        guard let address = IPAddress(target.host) else {
            throw SystemError("connect to", target.authority, code: .invalid, advice: "It is no address.")
        }
        let endpoint = InternetEndpoint(address, target.port)
        let socket = SharedFD(try InternetSocket.connect(.stream, to: endpoint))
        try await Readiness.shared.writable(socket.raw)
        do throws(SystemError) { _ = try InternetSocket.peer(socket.raw) } catch {
            throw SystemError("connect to", target.authority, code: .connectionRefused, advice: "Nobody listens there.")
        }
        return socket
    }

    private func pass(on socket: SharedFD) async throws(SystemError) {
        guard await DescriptorPump.write(head + request.body, to: socket) else { throw Self.broken(target) }
        var bytes: [UInt8] = []
        var end: Int?
        let outcome = await DescriptorPump.read(socket) { part in
            bytes += part
            end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
            return end == nil && bytes.count < Self.headLimit
        }
        if case .failed(let error) = outcome { throw error }
        guard let end, let said = AnswerLines(bytes[..<end]) else { throw Self.broken(target) }
        let rest = Array(bytes[end...])
        let fields = ProxyFields.returned(said.fields, target, clientHost: request.headers["host"])
        guard said.status == 101 else {
            return await answer.whole(APIResponse(said.status, headers: fields, body: await body(said, rest, socket)))
        }
        let named = said.fields["upgrade"].map { [(name: "Upgrade", value: $0)] } ?? []
        guard let pipe = await answer.upgrade(fields + named) else { return }
        await carry(pipe, socket, rest)
    }

    private var head: [UInt8] {
        var fields = ProxyFields.passed(request, target, path: path)
        fields.add("Connection", "Upgrade")
        fields.add("Upgrade", request.headers["upgrade"] ?? "")
        if !request.body.isEmpty { fields.add("Content-Length", "\(request.body.count)") }
        var text = "\(request.method) \(path)\(query) HTTP/1.1\r\n"
        for field in fields.fields { text += "\(field.name): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// The body of a target that does not agree; of one that does not say how long it is, nothing.
    private func body(_ said: AnswerLines, _ begun: [UInt8], _ socket: SharedFD) async -> [UInt8] {
        guard let length = said.fields["content-length"].flatMap({ Int($0) }), (0...Self.bodyLimit).contains(length)
        else {
            return []
        }
        var body = begun
        if body.count < length {
            _ = await DescriptorPump.read(socket) { part in
                body += part
                return body.count < length
            }
        }
        return Array(body.prefix(length))
    }

    private func carry(_ pipe: DuplexPipe, _ socket: SharedFD, _ begun: [UInt8]) async {
        let number = parts.open.add { pipe.abort() }
        let sending = Task {
            while let bytes = await pipe.next() {
                guard await DescriptorPump.write(bytes, to: socket) else { break }
            }
            MessageSocket.endOutput(socket.raw)
        }
        var isTaken = true
        if !begun.isEmpty { isTaken = await pipe.send(begun) }
        if isTaken { _ = await DescriptorPump.read(socket) { await pipe.send($0) } }
        pipe.finish()
        sending.cancel()
        parts.open.remove(number)
    }

    private static func broken(_ target: ProxyTarget) -> SystemError {
        SystemError("ask", target.authority, code: .inputOutput, advice: "It gave no answer of HTTP.")
    }
}

/// Status and fields of an answer's head, RFC 9112 section 4.
struct AnswerLines {
    let status: Int
    let fields: HeaderFields

    /// nil for what is none.
    init?(_ bytes: ArraySlice<UInt8>) {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")[...]
        let words = (lines.popFirst() ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...999).contains(status)
        else {
            return nil
        }
        var fields = HeaderFields()
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[colon...].dropFirst().drop { $0 == " " || $0 == "\t" }
            guard HeaderFields.isName(String(line[..<colon])), HeaderFields.isValue(String(value)) else { return nil }
            fields.add(String(line[..<colon]), String(value))
        }
        (self.status, self.fields) = (status, fields)
    }
}
