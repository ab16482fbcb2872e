import Linux
import TestKit
import Testing

@testable import Networking

@Suite struct `batches of packet rules` {
    /// What nft 1.0.6 sends for the rules of the test below, as strace shows it.
    private static let sent = """
        140000001000010000000000000000000000000a24000000030a010401000000000000000100000006000100740000000600
        0300630000007c000000090a010402000000000000000100000006000100740000000c0002005f5f6d617025640008000300
        0000000b0800040000000004080005000000000408000600000001cd080007000000000808000a00000000020c0009800800
        01000000000216000d000004010000000104000000000604000000000000740000000c0a0104030000000000000001000000
        06000100740000000c0002005f5f6d6170256400080004000000000244000380200001800c00018008000100000000001000
        02800c0001000a00000100500000200002800c0001800800010001000000100002800c0001000a0000020050000014010000
        060a010c04000000000000000100000006000100740000000600020063000000f000048024000180090001006d6574610000
        000014000280080002000000001008000100000000012c00018008000100636d700020000280080001000000000108000200
        000000000c0003800500010006000000340001800b0001006e756d67656e0000240002800800010000000001080002000000
        000208000300000000010800040000000000380001800b0001006c6f6f6b7570000028000280080002000000000108000300
        000000010c0001005f5f6d6170256400080004000000000230000180080001006e6174002400028008000100000000010800
        0200000000020800030000000001080005000000000908010000060a010c0500000000000000010000000600010074000000
        0600020063000000e400048024000180090001006d6574610000000014000280080002000000001008000100000000012c00
        018008000100636d700020000280080001000000000108000200000000000c00038005000100110000002c0001800e000100
        696d6d6564696174650000001800028008000100000000010c000280080001000a0000012c0001800e000100696d6d656469
        6174650000001800028008000100000000020c000280060001000035000038000180080001006e6174002c00028008000100
        00000001080002000000000208000300000000010800050000000002080007000000000208010000060a010c060000000000
        00000100000006000100740000000600020063000000e400048024000180090001006d657461000000001400028008000200
        0000000f08000100000000012c00018008000100636d700020000280080001000000000108000200000000000c0003800500
        010002000000340001800c0001007061796c6f6164002400028008000100000000010800020000000001080003000000000c
        08000400000000042c00018008000100636d700020000280080001000000000108000200000000000c000380080001000a00
        0009300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c0002800800010000000001
        60000000060a010c070000000000000001000000060001007400000006000200630000003c000480380001800e000100696d
        6d656469617465000000240002800800010000000000180002801400028008000100fffffffd060002006400000060000000
        0c0a01040800000000000000010000000600010074000000060002006d000000080004000000000134000380300001801400
        018010000100060000000a60000101bb0000180002801400028008000100fffffffc06000200630000001400000011000100
        09000000000000000000000a
        """

    @Test func `a batch has the bytes that nft sends`() {
        var batch = PacketRuleBatch(table: "t")
        // add chain inet t c
        batch.addChain("c")
        // add rule inet t c meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }
        let endpoints = ["10.0.0.1", "10.0.0.2"].map { InternetEndpoint(IPAddress($0)!, 80) }
        let map = batch.addMap(of: endpoints, isIPv6: false)
        batch.addRule(
            [
                .loadTransport, .isEqual([6]), .random(below: 2), .look(anonymousMap: map),
                .redirect(isIPv6: false, portRegister: PacketRuleExpression.secondWord, isExplicit: false),
            ], to: "c")
        // add rule inet t c meta l4proto udp dnat ip to 10.0.0.1:53
        batch.addRule(
            [
                .loadTransport, .isEqual([17]), .set(register: 1, [10, 0, 0, 1]), .set(register: 2, [0, 53]),
                .redirect(isIPv6: false, portRegister: 2, isExplicit: true),
            ], to: "c")
        // add rule inet t c ip saddr 10.0.0.9 accept
        batch.addRule(
            [
                .loadFamily, .isEqual([2]), .loadNetworkHeader(offset: 12, count: 4), .isEqual([10, 0, 0, 9]), .decide(.accept),
            ], to: "c")
        // add rule inet t c jump d
        batch.addRule([.decide(.jump("d"))], to: "c")
        // add element inet t m { tcp . 10.96.0.1 . 443 : goto c }
        batch.add([.init(key: [6, 0, 0, 0, 10, 96, 0, 1, 1, 187, 0, 0], verdict: .goto("c"))], to: "m")

        let nft = messages(Self.bytes(Self.sent))
        let ours = messages(batch.encoded)
        #expect(nft.count == ours.count && nft.count > 8)
        for (index, (theirs, own)) in zip(nft, ours).enumerated() {
            var theirs = theirs
            // nft numbers also sets that have names, which say enough.
            if index == 8 { theirs.payload.removeSubrange(20..<28) }
            #expect(theirs == own, "message \(index)")
        }
    }

    @Test func `elements of any number are split over messages`() {
        var batch = PacketRuleBatch(table: "t")
        let endpoints = (0..<5000).map { InternetEndpoint(IPAddress(bytes: [10, 1, UInt8($0 / 250), UInt8($0 % 250)]), 80) }
        _ = batch.addMap(of: endpoints, isIPv6: false)
        batch.add(endpoints.map { .init(key: $0.address.bytes, verdict: .goto(String(repeating: "x", count: 60))) }, to: "m")
        let messages = NetlinkMessage.decode(batch.encoded[...])
        var count = 0
        for message in messages where message.type == 10 << 8 | 12 {
            let list = NetlinkReader.attributes(message.payload, after: 4)[3]!
            // The length that the attribute says is the one that it has.
            #expect(list.count < 65_000)
            count += attributes(of: Array(list)).count
        }
        #expect(count == 10_000)
        #expect(messages.last?.type == 17)
    }

    @Test(.enabled(if: isRoot)) func `a batch is made as a whole or not at all, and the kernel says why`() async throws {
        let machine = try await TestMachine("batch")
        _ = try await machine.run("nft", "-f", "-", input: "table inet t {\nset s { type ipv4_addr; }\nchain c { }\n}\n")
        let socket = try await machine.network.run { () throws(SystemError) in try PacketRuleSocket() }
        var batch = PacketRuleBatch(table: "t")
        batch.add([.init(key: [10, 0, 0, 1])], to: "s")
        batch.addRule([.decide(.drop)], to: "c")
        try socket.perform(batch)
        let rules = try await machine.run("nft", "list", "ruleset").text
        #expect(rules.contains("10.0.0.1") && rules.contains("drop"))

        var broken = PacketRuleBatch(table: "t")
        broken.add([.init(key: [10, 0, 0, 2])], to: "s")
        broken.add([.init(key: [10, 0, 0, 3])], to: "nowhere")
        let failure = #expect(throws: SystemError.self) { try socket.perform(broken) }
        #expect(failure?.code == .noEntry)
        #expect(try await machine.run("nft", "list", "ruleset").text == rules)
        // A refusal leaves nothing behind that the next change would take for its own.
        var removal = PacketRuleBatch(table: "t")
        removal.remove([.init(key: [10, 0, 0, 1])], from: "s")
        removal.flushChain("c")
        removal.removeChain("c")
        removal.removeSet("s")
        try socket.perform(removal)
        #expect(try await machine.run("nft", "list", "ruleset").text == "table inet t {\n}\n")
        try machine.end()
    }

    /// Without the flag that asks for an answer, which is where nft does not want one.
    private func messages(_ bytes: [UInt8]) -> [NetlinkMessage] {
        NetlinkMessage.decode(bytes[...]).map { message in
            var message = message
            message.flags &= ~4
            return message
        }
    }

    private func attributes(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while rest.count >= 4 {
            let length = Int(NetlinkReader.number16(rest, at: 0))
            guard length >= 4, length <= rest.count else { break }
            found.append(rest.prefix(length))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.filter { $0.isHexDigit }.map { UInt8($0.hexDigitValue!) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
