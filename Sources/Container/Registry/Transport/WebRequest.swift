internal import NIOCore
internal import NIOHTTP1

/// One request as the registry part sees it.
struct WebRequest: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// `length` bytes from `source`, from `offset` on.
        case blob(any BlobSource, offset: Int, length: Int)
    }

    var method: HTTPMethod
    var address: WebAddress
    var headers: [(name: String, value: String)] = []
    var body = Body.none
    /// The whole Authorization header.
    var authorization: String?

    init(_ method: HTTPMethod, _ address: WebAddress) {
        self.method = method
        self.address = address
    }
}

/// The head of an answer, and the way to its body.
struct WebResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    /// Where the answer came from, after redirects.
    var address: WebAddress
    var body: WebBody

    func header(_ name: String) -> String? { headers.first(name: name) }

    /// What Content-Length promises; nil when there is none, or none that makes sense.
    var length: Int? {
        guard let text = header("content-length"), let length = Int(text), length >= 0 else { return nil }
        return length
    }

    /// The whole body, which must not be longer than `limit` bytes.
    func bytes(limit: Int, what: String) async throws(RegistryFailure) -> [UInt8] {
        if let length, length > limit { throw Self.tooLong(what, limit, address) }
        var bytes: [UInt8] = []
        var body = body
        while let chunk = try await body.next() {
            guard bytes.count + chunk.count <= limit else { throw Self.tooLong(what, limit, address) }
            bytes += chunk
        }
        return bytes
    }

    private static func tooLong(_ what: String, _ limit: Int, _ address: WebAddress) -> RegistryFailure {
        RegistryFailure(
            .untrustworthy, "\(what) from \(address.authority) is longer than \(limit) bytes, which is not accepted")
    }
}
