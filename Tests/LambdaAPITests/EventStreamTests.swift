import Linux
import Testing

@testable import LambdaAPI

@Suite struct EventStreamTests {
    @Test func `the checksum is zlib's`() {
        #expect(Checksum.crc32("123456789".utf8) == 0xCBF4_3926)
        #expect(Checksum.crc32([]) == 0)
    }

    /// Taken apart as AWS's specification says.
    @Test func `a frame has its lengths, headers, payload and checksums`() {
        let frame = EventStreamFrame.payloadChunk(Array("abc".utf8))
        func number(_ at: Int) -> UInt32 { frame[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        #expect(Int(number(0)) == frame.count)
        let headers = Int(number(4))
        #expect(frame.count == 12 + headers + 3 + 4)
        #expect(number(8) == Checksum.crc32(frame[..<8]))
        #expect(number(frame.count - 4) == Checksum.crc32(frame[..<(frame.count - 4)]))
        let text = String(decoding: frame[12..<12 + headers], as: UTF8.self)
        #expect(text.contains(":event-type\u{7}\u{0}\u{C}PayloadChunk"))
        #expect(text.contains(":message-type\u{7}\u{0}\u{5}event"))
        #expect(Array(frame[(12 + headers)..<(frame.count - 4)]) == Array("abc".utf8))
    }

    @Test func `identifiers have their forms`() {
        var chance = DoorChance()
        let ids = (0..<1000).map { _ in Identifiers.requestID(at: Timestamp(nanoseconds: 1_645_557_742_000_000_000), &chance) }
        // The time of RFC 9562, A.6.
        #expect(Set(ids).count == 1000)
        for id in ids {
            #expect(
                id.wholeMatch(of: /017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(id)"
            )
        }
    }
}
