package import HTTPServing
internal import Linux

/// A service over HTTP as the answerer of calls: each is a POST.
package struct ServiceAnswerer: PayloadAnswerer {
    private let address: HTTPAddress
    private let target: String
    private let host: String
    private let form: PayloadForm
    private let loop: ServingLoop
    private let timeout: Duration

    /// - Parameter url: "http://HOST[:PORT]/PATH", the host by number or "localhost".
    ///
    /// - Throws: `ShiftProblem` that says what is wrong with the URL.
    package init(
        _ url: String, _ form: PayloadForm, on loop: ServingLoop, timeout: Duration = .seconds(60)
    ) throws(ShiftProblem) {
        let scheme = "http://"
        guard url.hasPrefix(scheme) else {
            throw ShiftProblem(
                .unsupported, "call \(url): services are reached by http:// here, such as http://127.0.0.1:8080/price")
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        let hasPort = authority.last != "]" && authority.contains(":")
        guard let address = HTTPAddress(hasPort ? String(authority) : authority + ":80"),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            throw ShiftProblem(
                "call \(url): expected http://ADDRESS[:PORT]/PATH with an IP address or localhost, and a path that is percent-encoded"
            )
        }
        self.address = address
        target = path.isEmpty ? "/" : String(path)
        host = String(authority)
        self.form = form
        self.loop = loop
        self.timeout = timeout
    }

    package func answer(_ payload: CallPayload) async throws(PayloadFailure) -> PayloadAnswer {
        let connection: HTTPClientConnection
        do { connection = try await HTTPClientConnection.connect(to: address, on: loop, timeout: .seconds(5)) } catch {
            throw .notRun("\(error)")
        }
        defer { connection.close() }
        var request = HTTPRequest(method: "POST", target: target)
        request.headers.add("Host", host)
        request.headers.add("Content-Type", form == .wrapped ? "application/json" : "application/octet-stream")
        request.headers.add("Connection", "close")
        request.headers.add("X-Request-Id", payload.head.requestID)
        request.headers.setTrace(payload.head.trace)
        if form == .plain {
            for word in payload.words { request.headers.add("Forkless-Argument", Self.encoded(word)) }
            if let directory = payload.directory { request.headers.add("Forkless-Directory", Self.encoded(directory)) }
        }
        let response: HTTPResponse
        do {
            response = try await connection.answer(
                to: request, body: payload.bytes(form), limit: CallPayload.inputLimit, timeout: timeout)
        } catch { throw .unknown("\(error)") }
        return try read(response)
    }

    private func read(_ response: HTTPResponse) throws(PayloadFailure) -> PayloadAnswer {
        // By RFC 9110 nothing was done: too many requests, unavailable.
        if response.status == 429 || response.status == 503 { throw .notRun("\(address) answers \(response.status)") }
        guard (200..<300).contains(response.status) else {
            let line = "forkless: \(host)\(target) answers \(response.status)\n"
            return PayloadAnswer(output: [], errors: response.body + Array(line.utf8), status: 1)
        }
        if form == .wrapped {
            guard let answer = PayloadAnswer(wrapped: response.body) else {
                let line = "forkless: the answer of \(host)\(target) is no object with output, errors and status\n"
                return PayloadAnswer(output: [], errors: Array(line.utf8), status: 1)
            }
            return answer
        }
        let status = response.headers["forkless-exit-status"].flatMap { Int32($0) } ?? 0
        return PayloadAnswer(output: response.body, status: (0...255).contains(status) ? status : 1)
    }

    /// Percent-encoding of all but letters, digits and "-._~/".
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                bytes.append(byte)
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
