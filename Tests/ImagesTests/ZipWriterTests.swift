import Images
import Testing

@Suite struct ZipWriterTests {
    @Test func `the same files make the same zip`() throws {
        func zip() throws -> [UInt8] {
            var writer = ZipWriter()
            try writer.add("a", mode: 0o100_644, contents: Array("one".utf8))
            try writer.add("b/", mode: 0o040_755)
            return writer.finish()
        }
        #expect(try zip() == zip())
        #expect(try zip().starts(with: [0x50, 0x4B, 3, 4]))
    }

    @Test func `a zip has at most 65,535 entries`() throws {
        var writer = ZipWriter()
        for number in 0..<0xFFFF { try writer.add("\(number)", mode: 0o100_644) }
        let error = #expect(throws: ArchiveFailure.self) { try writer.add("one more", mode: 0o100_644) }
        #expect(error?.reason == .tooLarge)
    }

    @Test func `a zip of nothing is one`() {
        #expect(ZipWriter().finish() == [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18))
    }
}
