import JSON
import Testing

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 is RFC 4648's`(text: String, encoded: String) {
        #expect(Base64.text(Array(text.utf8)) == encoded)
        #expect(Base64.bytes(encoded) == Array(text.utf8))
        #expect(Base64.bytes(exactly: encoded) == Array(text.utf8))
    }

    @Test func `bytes of every length go there and back, and padding may be missing`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let text = Base64.text(bytes)
            #expect(Base64.bytes(text) == bytes)
            #expect(Base64.bytes(exactly: text) == bytes)
            #expect(Base64.bytes(String(text.prefix { $0 != "=" })) == bytes)
        }
    }

    @Test(arguments: [
        "a", "abcde", "ab=c", "a===", "=", "====", "ab c", "abc\n", "ab-_", "Zm9v=", "Z=", "Zg=a", "Zg\n", "\u{e9}",
        "a\u{e9}b=",
    ])
    func `what is no base64 is none`(text: String) { #expect(Base64.bytes(text) == nil) }

    /// "Zh==" has the digits of "Zg==" and bits that are lost.
    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9", "Zm9="])
    func `only the one form of some bytes is exactly theirs`(text: String) {
        #expect(Base64.bytes(exactly: text) == nil)
    }
}
