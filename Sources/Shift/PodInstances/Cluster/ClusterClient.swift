internal import AsyncHTTPClient
package import JSON
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// A client of a Kubernetes API: objects as JSON, watches as lines.
package final class ClusterClient: Sendable {
    package let kubeconfig: Kubeconfig
    let tls: NIOSSLContext
    private let client: HTTPClient

    /// Of one answer.
    private static let answerLimit = 16 << 20

    /// - Throws: `ClusterFailure` for certificates and keys that are none.
    package init(_ kubeconfig: Kubeconfig) throws(ClusterFailure) {
        self.kubeconfig = kubeconfig
        let configuration = try Self.tls(kubeconfig)
        do { tls = try NIOSSLContext(configuration: configuration) } catch {
            throw ClusterFailure("use the certificates of \(kubeconfig.server): \(error)")
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: configuration)
        settings.httpVersion = .http1Only
        settings.timeout.connect = .seconds(10)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    package func close() async { try? await client.shutdown() }

    private static func tls(_ kubeconfig: Kubeconfig) throws(ClusterFailure) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        do {
            if let authority = kubeconfig.authority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
            }
            if case .certificate(let chain, let key) = kubeconfig.credential {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            }
        } catch { throw ClusterFailure("read the certificates for \(kubeconfig.server): \(error)") }
        return configuration
    }

    /// What every request says besides its own.
    var authorization: [(String, String)] {
        guard case .token(let token) = kubeconfig.credential else { return [] }
        return [("Authorization", "Bearer \(token)")]
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue?, as type: String = "application/json"
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: kubeconfig.server + path)
        request.method = method
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "forkless")
        for (name, value) in authorization { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(JSONWriter.bytes(body))
        }
        return request
    }

    /// Does one request and reads its answer whole.
    /// - Parameters:
    ///   - path: with its query, encoded.
    ///   - type: what the body is: of a patch, which kind.
    /// - Throws: `ClusterFailure` with the message of the Status that the cluster answered.
    @discardableResult
    package func call(
        _ method: String, _ path: String, _ body: JSONValue? = nil, as type: String = "application/json"
    ) async throws(ClusterFailure) -> JSONValue {
        let status: Int
        let bytes: ByteBuffer
        do {
            let answer = try await client.execute(
                request(HTTPMethod(rawValue: method), path, body, as: type), timeout: .seconds(30))
            status = Int(answer.status.code)
            bytes = try await answer.body.collect(upTo: Self.answerLimit)
        } catch { throw ClusterFailure("\(method) \(kubeconfig.server)\(path): \(error)") }
        let json = try? JSONParser.parse(Array(bytes.readableBytesView))
        guard status < 300, let json else {
            let why = json?["message"]?.string ?? String(decoding: bytes.readableBytesView.prefix(200), as: UTF8.self)
            throw ClusterFailure("\(method) \(kubeconfig.server)\(path): \(status) \(why)", status: status)
        }
        return json
    }

    /// Follows a watch and gives each event's object, until `body` says that it has seen enough or the watch ends.
    /// - Parameter path: with `watch=true`.
    package func watch(_ path: String, _ body: (_ type: String, _ object: JSONValue) -> Bool)
        async throws(ClusterFailure)
    {
        do {
            let answer = try await client.execute(request(.GET, path, nil), deadline: .distantFuture)
            guard answer.status == .ok else {
                throw ClusterFailure("\(answer.status.code)", status: Int(answer.status.code))
            }
            var line: [UInt8] = []
            for try await part in answer.body {
                for byte in part.readableBytesView {
                    guard byte == UInt8(ascii: "\n") else {
                        line.append(byte)
                        guard line.count <= Self.answerLimit else { throw ClusterFailure("an event is too long") }
                        continue
                    }
                    let event = try JSONParser.parse(line)
                    line.removeAll(keepingCapacity: true)
                    guard body(event["type"]?.string ?? "", event["object"] ?? .null) else { return }
                }
            }
        } catch { throw ClusterFailure("watch \(kubeconfig.server)\(path): \(error)") }
    }
}
