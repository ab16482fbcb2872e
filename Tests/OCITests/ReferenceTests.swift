import OCI
import Testing

@Suite struct ReferenceTests {
    static let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)

    static let names: [String] = [
        "alpine", "alpine:3.20", "team/app", "registry.example/app", "localhost/app:1", "127.0.0.1:5000/a/b/c:x_Y.z-1",
        "[::1]:5000/app", "app@\(digest)", "registry.example:5000/app:1@\(digest)", "a__b/c-d/e.f", "a---b", "0",
    ]

    @Test(arguments: names) func `a name prints as it was read`(text: String) throws {
        #expect(try Reference(text).description == text)
    }

    @Test func `a first component is a host when it could be none but that`() throws {
        #expect(try Reference("team/app").host == nil)
        #expect(try Reference("registry.example/team/app").host == "registry.example")
        #expect(try Reference("registry.example/team/app").path == "team/app")
        #expect(try Reference("localhost/app").host == "localhost")
        #expect(try Reference("myhost:80/app:2").tag == "2")
        #expect(try Reference("app:80").host == nil)
        #expect(try Reference("app:80").tag == "80")
    }

    @Test func `a name without a tag and a digest means latest`() throws {
        #expect(try Reference("team/app").tagged.description == "team/app:latest")
        #expect(try Reference("app:1").tagged.description == "app:1")
        #expect(try Reference("app@" + Self.digest).tagged.description == "app@" + Self.digest)
        #expect(try Reference("h:1/app:x").with(tag: "y").description == "h:1/app:y")
        #expect(throws: ReferenceError.self) { try Reference("app").with(tag: "../x") }
    }

    static let strangers: [String] = {
        var texts = ["", "/", "/a", "a/", "a//b", "../a", "a/../b", "./a", "A", "Team/app", "a b", "a:", "a:-x", "a:.x"]
        texts += [":x", "a@sha256:12", "a@", "a___b", "a..b", "-a", "a-", "a_", "a\0b", "a\n", "ä", "host.:x/a", "h:0/a"]
        texts += ["h:99999/a", "-h.x/a", "[zz]:1/a", "user@host/app", "http://host/app"]
        texts.append("@" + digest)
        texts.append("a:" + String(repeating: "t", count: 129))
        texts.append(String(repeating: "n", count: 256))
        texts.append(String(repeating: "0123456789abcdef", count: 4))
        return texts
    }()

    @Test(arguments: strangers) func `what is no name is refused`(text: String) {
        #expect(throws: ReferenceError.self) { try Reference(text) }
    }
}
