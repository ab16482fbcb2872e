import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1
import NIOSSL

/// A GET request to a container: success is a status from 200 to 399 (core/v1.HTTPGetAction).
struct HTTPCheck: Sendable {
    private let json: JSONValue
    private let container: JSONValue?
    private let address: String
    private let isProbe: Bool

    init(_ json: JSONValue, _ container: JSONValue?, _ address: String, isProbe: Bool) {
        self.json = json
        self.container = container
        self.address = address
        self.isProbe = isProbe
    }

    /// Whoever has the address answers: nobody's certificate is asked for, and no redirect followed.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        var trust = TLSConfiguration.makeClientConfiguration()
        trust.certificateVerification = .none
        configuration.tlsConfiguration = trust
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    func run() async -> PodWorker.CheckResult {
        guard let port = CheckPort.number(json["port"], in: container) else { return failure("couldn't find the port of the request") }
        let host = json["host"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? address
        let name = host.contains(":") ? "[\(host)]" : host
        let scheme = (json["scheme"]?.string ?? "HTTP").lowercased()
        let path = json["path"]?.string ?? "/"
        let url = "\(scheme)://\(name):\(port)\(path.hasPrefix("/") ? path : "/" + path)"
        var request = HTTPClientRequest(url: url)
        for header in json["httpHeaders"]?.array ?? [] {
            request.headers.add(name: header["name"]?.string ?? "", value: header["value"]?.string ?? "")
        }
        if !request.headers.contains(name: "User-Agent") { request.headers.add(name: "User-Agent", value: "kube-probe/1.36") }
        if !request.headers.contains(name: "Accept") { request.headers.add(name: "Accept", value: "*/*") }
        request.headers.replaceOrAdd(name: "Connection", value: "close")
        do {
            let response = try await Self.client.execute(request, timeout: .hours(24))
            let code = response.status.code
            // As much as is kept of an answer; the rest is nobody's.
            var body = 0
            for try await piece in response.body {
                body += piece.readableBytes
                if body > 10 << 10 { break }
            }
            guard (200..<400).contains(code) else { return failure("HTTP probe failed with statuscode: \(code)") }
            return PodWorker.CheckResult(isSuccess: true, message: "")
        } catch { return failure("Get \"\(url)\": \(error)") }
    }

    private func failure(_ message: String) -> PodWorker.CheckResult { .init(isSuccess: false, message: message) }
}
