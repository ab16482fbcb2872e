import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

/// The bytes between node and keeper.
@Suite struct WireTests {
    @Test(arguments: 0..<SeededChance.requestKinds) func `every request survives the wire`(kind: Int) throws {
        var chance = SeededChance(seed: UInt64(kind) + 1)
        for _ in 0..<300 {
            let request = chance.request(kind)
            let number: UInt64 = chance.number()
            let (read, readNumber) = try KeeperRequest.decode(request.encoded(number: number))
            #expect(read == request)
            #expect(readNumber == number)
        }
    }

    @Test(arguments: 0..<SeededChance.replyKinds) func `every reply survives the wire`(kind: Int) throws {
        var chance = SeededChance(seed: UInt64(kind) + 100)
        for _ in 0..<300 {
            let reply = chance.reply(kind)
            let number: UInt64 = chance.number()
            let (read, readNumber) = try KeeperReply.decode(reply.encoded(number: number))
            #expect(read == reply)
            #expect(readNumber == number)
        }
    }

    @Test func `every plan survives the wire`() throws {
        var chance = SeededChance(seed: 7)
        for _ in 0..<1000 {
            let plan = chance.plan()
            #expect(try KeeperRequest.decode(KeeperRequest.define(plan).encoded(number: 1)).request == .define(plan))
        }
    }

    @Test func `no bytes whatever trap the reader`() {
        var chance = SeededChance(seed: 11)
        for round in 0..<4000 {
            // Random from the first byte, or with a header that lets the reader get further.
            var bytes = chance.bytes(300)
            if round % 4 != 0, bytes.count > 1 {
                bytes[0] = KeeperProtocol.version
                bytes[1] = UInt8(round % (SeededChance.requestKinds + 2))
            }
            _ = try? KeeperRequest.decode(bytes)
            _ = try? KeeperReply.decode(bytes)
        }
    }

    @Test func `no mutation of a message traps the reader`() {
        var chance = SeededChance(seed: 13)
        for round in 0..<3000 {
            var bytes =
                round % 2 == 0
                ? chance.request(round % SeededChance.requestKinds).encoded(number: 1)
                : chance.reply(round % SeededChance.replyKinds).encoded(number: 1)
            for _ in 0..<Int.random(in: 1...4, using: &chance) {
                let at = Int.random(in: 0..<bytes.count, using: &chance)
                switch Int.random(in: 0..<4, using: &chance) {
                case 0: bytes[at] = chance.number()
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
                case 2: bytes.insert(chance.number(), at: at)
                default: if bytes.count > 1 { bytes.remove(at: at) }
                }
            }
            _ = try? KeeperRequest.decode(bytes)
            _ = try? KeeperReply.decode(bytes)
        }
    }

    @Test func `a message that is cut off anywhere is refused`() {
        var chance = SeededChance(seed: 17)
        for kind in 0..<SeededChance.requestKinds {
            let bytes = chance.request(kind).encoded(number: 5)
            for length in 0..<bytes.count {
                #expect(throws: WireError.self) { try KeeperRequest.decode(Array(bytes[..<length])) }
            }
        }
        for kind in 0..<SeededChance.replyKinds {
            let bytes = chance.reply(kind).encoded(number: 5)
            for length in 0..<bytes.count {
                #expect(throws: WireError.self) { try KeeperReply.decode(Array(bytes[..<length])) }
            }
        }
    }

    @Test func `bytes after the end of a message are refused`() {
        #expect(throws: WireError.unexpected("2 bytes too many", at: 10)) {
            try KeeperRequest.decode(KeeperRequest.list.encoded(number: 1) + [0, 0])
        }
    }

    @Test(arguments: [UInt32(17), 1 << 20, .max]) func `lengths beyond the message are refused before allocation`(
        length: UInt32
    ) {
        var writer = WireWriter()
        writer.write(length)
        writer.write(UInt64(0))
        writer.write(UInt64(0))
        var block = WireReader(writer.bytes)
        #expect(throws: WireError.short(wanted: Int(length), at: 4)) { try block.readBlock() }
        var list = WireReader(writer.bytes)
        // Were room set aside for `length` elements of a page each, the largest of them would end this process.
        #expect(throws: WireError.short(wanted: Int(length), at: 4)) {
            try list.readList { reader throws(WireError) in (try reader.readByte(), Page()) }
        }
    }

    private struct Page { var words = InlineArray<512, UInt64>(repeating: 0) }

    @Test func `another version says both versions`() {
        var bytes = KeeperRequest.list.encoded(number: 1)
        bytes[0] = 9
        #expect(throws: WireError.unexpected("protocol version 9; this keeper speaks 7", at: 0)) {
            try KeeperRequest.decode(bytes)
        }
        var reply = KeeperReply.done.encoded(number: 1)
        reply[0] = 9
        #expect(throws: WireError.unexpected("protocol version 9; this node speaks 7", at: 0)) {
            try KeeperReply.decode(reply)
        }
    }

    @Test func `a text with a NUL or that is not UTF-8 is refused`() {
        for block: [UInt8] in [[65, 0, 66], [0xff], [0xc3]] {
            var writer = WireWriter()
            writer.write(block)
            var reader = WireReader(writer.bytes)
            #expect(throws: WireError.unexpected("a text is UTF-8 without NUL", at: 0)) { try reader.readText() }
        }
    }
}
