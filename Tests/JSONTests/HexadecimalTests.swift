import JSON
import Testing

struct HexadecimalTests {
    @Test func `every byte has two digits and is read back from them`() {
        let all = (0...255).map { UInt8($0) }
        let text = Hexadecimal.text(all)
        #expect(text.hasPrefix("000102030405060708090a0b0c0d0e0f10") && text.hasSuffix("fdfeff"))
        #expect(text.utf8.count == 512)
        #expect(Hexadecimal.bytes(text) == all)
    }

    @Test func `no bytes are no digits`() {
        #expect(Hexadecimal.text([]) == "")
        #expect(Hexadecimal.bytes("") == [])
    }

    @Test(arguments: ["0", "abc", "AB", "0g", " 00", "0x00", "é"])
    func `what is no pair of small digits is refused`(text: String) {
        #expect(Hexadecimal.bytes(text) == nil)
    }
}
