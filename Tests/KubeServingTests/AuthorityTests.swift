import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeServing

/// A clock that a test sets.
final class SetClock: Sendable {
    private let seconds: Mutex<Int64>
    init(_ seconds: Int64 = 1_800_000_000) { self.seconds = Mutex(seconds) }
    var now: Int64 {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }
}

@Suite(.timeLimit(.minutes(2))) struct AuthorityTests {
    private static let names = ServingNames(hosts: ["node-1"], addresses: [IPAddress("10.96.0.1")!])

    private func open(_ directory: TemporaryDirectory, _ clock: SetClock, _ names: ServingNames = names) throws
        -> NodeAuthority
    {
        try NodeAuthority(directory: directory.path("pki"), names: names) { clock.now }
    }

    private func file(_ directory: TemporaryDirectory, _ name: String) throws -> String {
        try Files.readText(directory.path("pki/" + name))
    }

    private static let files = ["ca.pem", "service-account.pem", "admin.token", "serving.pem"]

    @Test func `an authority is the same after a restart`() throws {
        let directory = try TemporaryDirectory("authority")
        let clock = SetClock()
        let first = try open(directory, clock)
        let texts = try Self.files.map { try file(directory, $0) }
        let second = try open(directory, clock)
        #expect(try Self.files.map { try file(directory, $0) } == texts)
        #expect(first.administratorToken == second.administratorToken)
        #expect(first.authorityCertificate == second.authorityCertificate)
        #expect(first.warnings.isEmpty)
        for name in Self.files {
            #expect(try Files.status(directory.path("pki/" + name)).permissions & 0o777 == 0o600)
        }
        #expect(try Files.status(directory.path("pki")).permissions & 0o777 == 0o700)
        try Files.setPermissions(directory.path("pki/ca.pem"), 0o644)
        _ = try open(directory, clock)
        #expect(try Files.status(directory.path("pki/ca.pem")).permissions & 0o777 == 0o600)
    }

    @Test func `an interrupted first start is completed`() throws {
        for there in 0..<Self.files.count {
            let directory = try TemporaryDirectory("authority")
            let clock = SetClock()
            _ = try open(directory, clock)
            let texts = try Self.files.map { try file(directory, $0) }
            for name in Self.files[there...] { try Files.remove(directory.path("pki/" + name)) }
            // What was being written when the machine stopped.
            try directory.write("-----BEGIN CERT", to: "pki/\(Self.files[there]).new", mode: 0o600)
            _ = try open(directory, clock)
            for (index, name) in Self.files.enumerated() {
                #expect(try (file(directory, name) == texts[index]) == (index < there), "\(name)")
            }
        }
    }

    @Test func `a lost file is refused and named`() throws {
        for lost in Self.files.dropLast() {
            let directory = try TemporaryDirectory("authority")
            _ = try open(directory, SetClock())
            try Files.remove(directory.path("pki/" + lost))
            let failure = #expect(throws: AuthorityFailure.self) { try open(directory, SetClock()) }
            #expect(failure?.sentence.contains("pki/\(lost) is missing") == true, "\(String(describing: failure))")
            #expect(!Files.exists(directory.path("pki/" + lost)))
        }
    }

    @Test func `a broken file is refused and named, but the serving certificate is made anew`() throws {
        for name in Self.files {
            for content in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
                let directory = try TemporaryDirectory("authority")
                _ = try open(directory, SetClock())
                try directory.write(content, to: "pki/" + name, mode: 0o600)
                if name == "serving.pem" {
                    _ = try open(directory, SetClock())
                    #expect(try file(directory, name).hasPrefix("-----BEGIN CERTIFICATE"))
                } else {
                    let failure = #expect(throws: AuthorityFailure.self) { try open(directory, SetClock()) }
                    #expect(failure?.sentence.contains("pki/\(name)") == true, "\(String(describing: failure))")
                    #expect(try file(directory, name) == content.trimmed)
                }
            }
        }
    }

    @Test func `a key of another certificate is refused`() throws {
        let directory = try TemporaryDirectory("authority")
        let other = try TemporaryDirectory("authority")
        _ = try open(directory, SetClock())
        _ = try open(other, SetClock())
        var pair = try PEMPair(file: try file(directory, "ca.pem"))
        pair.key = try PEMPair(file: try file(other, "ca.pem")).key
        try directory.write(pair.fileText, to: "pki/ca.pem", mode: 0o600)
        let failure = #expect(throws: AuthorityFailure.self) { try open(directory, SetClock()) }
        #expect(failure?.sentence.contains("the key is not that of the certificate") == true)
    }

    @Test func `the serving certificate is renewed before it ends, and when names change`() throws {
        let directory = try TemporaryDirectory("authority")
        let clock = SetClock()
        let authority = try open(directory, clock)
        let first = try file(directory, "serving.pem")
        clock.now += 200 * 86_400
        #expect(try !authority.renewIfDue())
        clock.now += 60 * 86_400
        #expect(try authority.renewIfDue())
        let second = try file(directory, "serving.pem")
        #expect(second != first)
        #expect(authority.servingCertificateEnd == clock.now + 365 * 86_400)
        #expect(try authority.renewIfDue(names: ServingNames(hosts: ["node-2"], addresses: [])))
        _ = try open(directory, clock, ServingNames(hosts: ["node-2"], addresses: []))
        #expect(try file(directory, "serving.pem") != second)
        #expect(try !authority.renewIfDue())
    }

    @Test func `openssl believes what the authority issues, an hour before it was made too`() async throws {
        let directory = try TemporaryDirectory("authority")
        let clock = SetClock(Int64(Clock.now().nanoseconds / 1_000_000_000) + 3600)
        let authority = try open(directory, clock)
        try directory.write(authority.authorityCertificate, to: "ca.crt")
        try directory.write(try PEMPair(file: file(directory, "serving.pem")).certificate, to: "serving.crt")
        try directory.write(
            try authority.clientCertificate(user: "jane", groups: ["blue"]).certificate, to: "client.crt")
        for (certificate, purpose, name) in [
            ("serving.crt", "sslserver", ["-verify_hostname", "kubernetes.default.svc.cluster.local"]),
            ("serving.crt", "sslserver", ["-verify_hostname", "node-1"]),
            ("serving.crt", "sslserver", ["-verify_ip", "10.96.0.1"]),
            ("serving.crt", "sslserver", ["-verify_ip", "::1"]), ("client.crt", "sslclient", []),
        ] {
            let outcome = try await CommandRunner.run(
                ["openssl", "verify", "-x509_strict", "-CAfile", directory.path("ca.crt"), "-purpose", purpose] + name
                    + [directory.path(certificate)])
            #expect(outcome.status.isSuccess, "\(outcome.text) \(outcome.errorText)")
        }
        let subject = try await CommandRunner.run([
            "openssl", "x509", "-noout", "-subject", "-in", directory.path("client.crt"),
        ])
        #expect(subject.text == "subject=O = blue, CN = jane\n")
    }

    @Test func `a clock before the authority and an end that is near are told`() throws {
        let directory = try TemporaryDirectory("authority")
        let clock = SetClock()
        _ = try open(directory, clock)
        clock.now -= 30 * 86_400
        #expect(try open(directory, clock).warnings.first?.contains("Set the clock") == true)
        clock.now += 30 * 86_400 + 3600 * 86_400
        let late = try open(directory, clock)
        #expect(late.warnings.first?.contains("ends within 50 days") == true)
        // Nothing outlives the authority, so there is nothing to renew again and again.
        #expect(late.servingCertificateEnd == 1_800_000_000 + 3650 * 86_400)
        #expect(try !late.renewIfDue())
    }

    @Test func `a kubeconfig names what its reader needs`() throws {
        let directory = try TemporaryDirectory("authority")
        let authority = try open(directory, SetClock())
        let byCertificate = try authority.kubeconfig(server: "https://127.0.0.1:6443", user: "a \"b\"", groups: [])
        #expect(byCertificate.text.contains("    server: \"https://127.0.0.1:6443\"\n"))
        #expect(byCertificate.text.contains("- name: \"a \\\"b\\\"\"\n"))
        #expect(byCertificate.text.contains("    client-key-data: "))
        let byToken = Kubeconfig(
            server: "https://h:1", authorityCertificate: "x", user: "u", credential: .token("t"), namespace: "n")
        #expect(byToken.text.contains("    token: \"t\"\n"))
        #expect(byToken.text.contains("    namespace: \"n\"\n"))
    }
}
