internal import Crypto
internal import JSON
internal import KubeObjects

/// The opening of a WebSocket, RFC 6455 section 4.2.
enum WebSocketHandshake {
    private static let key = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// Whether a request asks for one.
    static func isAsked(_ headers: [String: String]) -> Bool {
        headers["upgrade"]?.lowercased() == "websocket" && UpgradeOffer.isUpgrade(headers)
    }

    /// The subprotocols asked for, without a token that was carried as one.
    static func protocols(_ headers: [String: String]) -> [String] {
        (headers["sec-websocket-protocol"] ?? "").split(separator: ",").map { String($0.trimmed) }
            .filter { !$0.isEmpty && !$0.hasPrefix(Credentials.webSocketPrefix) }
    }

    /// The fields of the answer.
    ///
    /// - Throws: what is wrong with the request.
    static func answer(
        _ request: APIRequest, protocol chosen: String?
    ) throws(APIFailure) -> [(name: String, value: String)] {
        guard request.method == "GET" else {
            throw .badRequest("a WebSocket is opened with GET, not \(request.method)")
        }
        guard request.headers["sec-websocket-version"] == "13" else {
            throw APIFailure(426, "UpgradeRequired", "only version 13 of WebSocket is supported")
        }
        guard let given = request.headers["sec-websocket-key"], Base64.bytes(given)?.count == 16 else {
            throw .badRequest("Sec-WebSocket-Key is not 16 bytes in base64")
        }
        let digest = Insecure.SHA1.hash(data: Array((given + key).utf8))
        var fields = [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", Base64.text(Array(digest)))]
        if let chosen { fields.append(("Sec-WebSocket-Protocol", chosen)) }
        return fields
    }
}

/// What a request wants its connection to become.
enum UpgradeOffer {
    /// The field Connection names the field Upgrade.
    static func isUpgrade(_ headers: [String: String]) -> Bool {
        (headers["connection"] ?? "").lowercased().split(separator: ",").contains { $0.trimmed == "upgrade" }
    }

    /// SPDY/3.1 without a WebSocket around it.
    static func isSPDY(_ headers: [String: String]) -> Bool {
        headers["upgrade"]?.lowercased() == "spdy/3.1" && isUpgrade(headers)
    }

    /// X-Stream-Protocol-Version, which may come several times.
    static func streamProtocols(_ headers: [String: String]) -> [String] {
        (headers["x-stream-protocol-version"] ?? "").split(separator: ",").map { String($0.trimmed) }.filter {
            !$0.isEmpty
        }
    }

    static let required = APIFailure.badRequest("Upgrade request required")
}
