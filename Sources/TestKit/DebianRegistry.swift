internal import Linux

/// Debian's docker-registry on a loopback port that the kernel chose.
package struct DebianRegistry: Sendable {
    /// How its callers have to prove who they are: the user "me" with the password "s3cret".
    package enum Access: Sendable { case open, password }

    package static let user = "me"
    package static let password = "s3cret"
    /// The line of an htpasswd file, made once with crypt(5)'s $2y$: bcrypt is the only form that the registry takes.
    private static let passwordLine = "me:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n"

    /// "127.0.0.1:PORT".
    package let host: String

    /// Files of a certificate for 127.0.0.1 and of its key.
    package struct Certificate: Sendable {
        package var certificate: String
        package var key: String

        /// Makes one that signs itself: who trusts it names it.
        package init(in directory: TemporaryDirectory) async throws {
            certificate = directory.path("registry.crt")
            key = directory.path("registry.key")
            let made = try await CommandRunner.run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=a registry of a test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                certificate,
            ])
            guard made.status.isSuccess else { throw BackgroundServer.Failure(description: made.errorText) }
        }
    }

    /// Serves for the length of `body`.
    package static func serving<Value>(
        _ access: Access = .open, certificate: Certificate? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (DebianRegistry) async throws -> Value
    ) async throws -> Value {
        let directory = try TemporaryDirectory("registry")
        let tls = certificate.map { ", tls: {certificate: \($0.certificate), key: \($0.key)}" } ?? ""
        var text = """
            version: 0.1
            log: {accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: \(directory.path("data"))}, delete: {enabled: true}}
            http: {addr: "127.0.0.1:0"\(tls)}

            """
        if access == .password {
            text += "auth: {htpasswd: {realm: tests, path: \(try directory.write(passwordLine, to: "htpasswd"))}}\n"
        }
        let config = try directory.write(text, to: "config.yml")
        return try await BackgroundServer.running(
            ["docker-registry", "serve", config], log: directory.path("log"),
            environment: ["OTEL_TRACES_EXPORTER": "none"]
        ) { server in
            let port = try await server.until("the registry's port") { text -> Substring? in
                guard let at = text.firstRange(of: "listening on 127.0.0.1:") else { return nil }
                let digits = text[at.upperBound...].prefix { $0.isNumber }
                // What follows the digits says that all of them are there.
                return digits.isEmpty || digits.endIndex == text.endIndex ? nil : digits
            }
            return try await body(DebianRegistry(host: "127.0.0.1:\(port)"))
        }
    }
}
