import OCI
import Testing

@Suite struct DigestTests {
    static let hex = String(repeating: "0123456789abcdef", count: 4)

    @Test func `a digest reads and prints the same text`() throws {
        #expect(try #require(Digest("sha256:" + Self.hex)).description == "sha256:" + Self.hex)
        #expect(try #require(Digest("sha512:" + Self.hex + Self.hex)).algorithm == .sha512)
    }

    /// What hostile manifests have held where a digest belongs.
    static let strangers: [String] = {
        let sha256 = "sha256:" + hex
        var texts = ["", "sha256", "sha256:", "sha256:abc", hex, "sha512:" + hex, "SHA256:" + hex, " " + sha256]
        texts.append("sha256:" + hex.uppercased())
        texts.append(sha256 + "0")
        texts.append("sha1:" + String(hex.prefix(40)))
        texts.append("sha256:../../../../etc/passwd")
        texts.append(String(sha256.dropLast(3)) + "/..")
        texts.append(String(sha256.dropLast()) + "\0")
        texts.append(String(sha256.dropLast()) + "٣")
        return texts
    }()

    @Test(arguments: strangers) func `CVE-2024-3727: a digest that could be a path is none`(text: String) {
        #expect(Digest(text) == nil)
    }

    @Test func `a digest made from a hash has its digits`() {
        let digest = Digest(.sha256, hash: [UInt8](repeating: 0xA5, count: 32))
        #expect(digest.description == "sha256:" + String(repeating: "a5", count: 32))
        #expect(digest.short == "a5a5a5a5a5a5")
    }
}
