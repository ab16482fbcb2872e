import Linux
import TestKit
import Testing

@testable import Networking

@Suite struct `netlink messages` {
    @Test func `a request has the bytes that iproute2 sends`() {
        // ip address add 10.9.0.2/24 dev <3>, as strace shows it, without the broadcast address that ip adds.
        let request = NetlinkRequest.addAddress(IPAddress("10.9.0.2")!, prefix: 24, link: 3)
        #expect(
            request.payload == [2, 24, 0, 0, 3, 0, 0, 0, 8, 0, 1, 0, 10, 9, 0, 2, 8, 0, 2, 0, 10, 9, 0, 2])
        let message = NetlinkMessage(type: 20, flags: 0x605, sequence: 1, payload: request.payload)
        #expect(message.encoded.prefix(16) == [40, 0, 0, 0, 20, 0, 5, 6, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(NetlinkMessage.decode(message.encoded[...]) == [message])
    }

    @Test func `bytes that are no netlink messages are no messages`() {
        var chance = SeededChance(seed: 9)
        let sample = NetlinkMessage(
            type: 16, flags: 2, payload: NetlinkRequest.makeBridge("b", hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: 1500).payload
        ).encoded
        for _ in 0..<20_000 {
            var bytes = Array(sample.prefix(Int.random(in: 0...sample.count, using: &chance)))
            for _ in 0..<4 where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
            }
            for message in NetlinkMessage.decode(bytes[...]) {
                #expect(message.payload.count <= bytes.count)
                for value in NetlinkReader.attributes(message.payload, after: 16).values { #expect(value.count <= bytes.count) }
            }
        }
        #expect(NetlinkMessage.decode([255, 255, 255, 255] + [UInt8](repeating: 0, count: 12)).isEmpty)
    }
}
