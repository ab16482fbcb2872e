import JSON
import TestKit
import Testing

@testable import PodInstances

/// What is read of a kubeconfig, and what is refused.
@Suite(.timeLimit(.minutes(1))) struct KubeconfigTests {
    private func config(user: String = "token: secret", cluster: String = "server: https://127.0.0.1:6443/") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: elsewhere
          context: {cluster: none, user: none}
        - name: here
          context: {cluster: one, user: me, namespace: shop}
        clusters:
        - name: one
          cluster:
            \(cluster)
        users:
        - name: me
          user:
            \(user)
        """
    }

    private func read(_ text: String) throws -> Kubeconfig {
        try Kubeconfig(Array(text.utf8), name: "config") { file throws(ClusterFailure) in
            guard file == "token.txt" else { throw ClusterFailure("no file \(file)") }
            return Array(" from a file\n".utf8)
        }
    }

    @Test func `the current context is what counts`() throws {
        let read = try read(config())
        #expect(read.server == "https://127.0.0.1:6443")
        #expect(read.credential == .token("secret"))
        #expect(read.namespace == "shop" && read.authority == nil)
    }

    @Test func `a token can stand in a file, a certificate inline`() throws {
        #expect(try read(config(user: "tokenFile: token.txt")).credential == .token("from a file"))
        let inline = config(
            user: "client-certificate-data: \(Base64.text([1]))\n    client-key-data: \(Base64.text([2]))")
        #expect(try read(inline).credential == .certificate(chain: [1], key: [2]))
    }

    @Test(arguments: [
        "exec: {command: aws}", "username: me\n    password: x", "auth-provider: {name: gcp}",
    ])
    func `credentials that a program makes are refused`(user: String) {
        #expect(throws: ClusterFailure.self) { try read(config(user: user)) }
    }

    @Test func `a cluster that is not checked is refused`() {
        let insecure = config(cluster: "server: https://h\n    insecure-skip-tls-verify: true")
        #expect(throws: ClusterFailure.self) { try read(insecure) }
        #expect(throws: ClusterFailure.self) { try read(config(cluster: "server: http://h")) }
    }

    @Test func `no text makes the reader trap`() {
        var chance = SeededChance(seed: 4)
        let whole = Array(config().utf8)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &chance) {
                let place = Int.random(in: 0..<bytes.count, using: &chance)
                if Bool.random(using: &chance) {
                    bytes[place] = UInt8.random(in: 9...126, using: &chance)
                } else {
                    bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...30, using: &chance)))
                }
                if bytes.isEmpty { bytes = whole }
            }
            _ = try? read(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func `addresses are taken apart`() throws {
        #expect(try ContainerConnection.address("https://[::1]:6443") == ("::1", 6443))
        #expect(try ContainerConnection.address("https://k8s.example") == ("k8s.example", 443))
        #expect(throws: ClusterFailure.self) { try ContainerConnection.address("https://h/path") }
    }

    @Test func `messages name their channel`() {
        #expect(ChannelFrame([1, 7, 8]) == .output([7, 8]))
        #expect(ChannelFrame([2]) == .errors([]))
        #expect(ChannelFrame([255, 1]) == .closed(1))
        #expect(ChannelFrame([]) == nil && ChannelFrame([9]) == nil && ChannelFrame([255]) == nil)
        #expect(ChannelFrame.input([5]) == [0, 5] && ChannelFrame.endOfInput == [255, 0])
    }
}
