import Linux
import Testing

@testable import Networking

@Suite struct `addresses and subnets` {
    @Test func `addresses are read and written as RFC 5952 says`() {
        let forms = [
            "10.9.0.2": "10.9.0.2", "::": "::", "::1": "::1", "FD00:0:0:1::A": "fd00:0:0:1::a", "1:0:0:2:0:0:0:3": "1:0:0:2::3",
            "1:0:2:3:4:5:6:7": "1:0:2:3:4:5:6:7", "::ffff:10.0.0.1": "::ffff:a00:1", "2001:db8::": "2001:db8::",
            "0:0:1:2:3:4:5:6": "::1:2:3:4:5:6",
        ]
        for (text, form) in forms { #expect(IPAddress(text)?.description == form, "\(text)") }
    }

    @Test func `a link's own address follows from its hardware address`() {
        #expect(IPAddress(linkLocalOf: [0x02, 0x42, 10, 201, 0, 2]).description == "fe80::42:aff:fec9:2")
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.", "1..2.3", ":", ":::", "1:2:3:4:5:6:7", "1::2::3", "12345::",
        "1:2:3:4:5:6:7:8:9", "::1%eth0", "1.2.3.4::", "g::", "1:2:3:4:5:6:7::8:9", "+1.2.3.4", "::+1", "1:2:3:4:5:6:7:8::",
    ])
    func `what is no address is not read`(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func `a subnet knows its addresses and overlaps`() throws {
        let subnet = try #require(Subnet("10.201.0.0/16"))
        #expect(subnet.contains(IPAddress("10.201.255.1")!))
        #expect(!subnet.contains(IPAddress("10.202.0.0")!))
        #expect(!subnet.contains(IPAddress("::1")!))
        #expect(subnet.overlaps(Subnet("10.0.0.0/8")!) && Subnet("10.201.7.0/24")!.overlaps(subnet))
        #expect(!subnet.overlaps(Subnet("10.200.0.0/16")!))
        #expect(Subnet("10.201.0.1/16") == nil && Subnet("10.0.0.0/33") == nil && Subnet("10.0.0.0/08") == nil)
        #expect(Subnet("fd00::/64")!.contains(IPAddress("fd00::7")!))
    }

    @Test func `every address of a small subnet is given out once`() throws {
        var book = AddressBook(.init(subnet: Subnet("10.9.0.0/29")!, gateway: IPAddress("10.9.0.1")!))
        var seen: [String] = []
        while let address = book.take() { seen.append("\(address)") }
        #expect(seen == (2...6).map { "10.9.0.\($0)" })
        book.giveBack(IPAddress("10.9.0.4")!)
        #expect(book.take()?.description == "10.9.0.4")
        #expect(book.take() == nil)
    }

    @Test func `an address that came back is the last to be given out again`() {
        var book = AddressBook(.init(subnet: Subnet("10.9.0.0/29")!, gateway: IPAddress("10.9.0.1")!))
        let first = book.take()!
        book.giveBack(first)
        let order = (0..<5).map { _ in book.take()! }
        #expect(order.last == first)
    }

    @Test func `a wanted address is refused when it cannot be had`() throws {
        var book = AddressBook(.init(subnet: Subnet("10.9.0.0/24")!, gateway: IPAddress("10.9.0.1")!))
        try book.take(IPAddress("10.9.0.9")!)
        for text in ["10.9.0.9", "10.9.0.1", "10.9.0.0", "10.9.0.255", "10.10.0.2", "fd00::2"] {
            #expect(throws: NetworkFailure.self, "\(text)") { try book.take(IPAddress(text)!) }
        }
        #expect(book.count == 1)
    }

    @Test func `a subnet is chosen that nothing else uses`() {
        let used = (201...203).map { Subnet("10.\($0).0.0/16")! } + [Subnet("10.204.7.0/24")!]
        #expect(SubnetChoice.ipv4(avoiding: used)?.description == "10.205.0.0/16")
        #expect(SubnetChoice.ipv4(avoiding: [Subnet("10.0.0.0/8")!]) == nil)
        let six = SubnetChoice.ipv6(random: 0x0123_4567_89ab_cdef)
        #expect(six.prefix == 64 && six.base.bytes[0] == 0xfd)
    }

    @Test func `a definition that makes no sense is refused with its reason`() throws {
        func definition(_ name: String, _ subnet: String, _ gateway: String, mtu: UInt32? = nil) -> NetworkDefinition {
            NetworkDefinition(
                id: "0123456789ab", name: name, ipv4: .init(subnet: Subnet(subnet)!, gateway: IPAddress(gateway)!), mtu: mtu,
                createdAt: Timestamp(nanoseconds: 0))
        }
        try definition("a", "10.1.0.0/16", "10.1.0.1").check()
        let wrong = [
            definition("", "10.1.0.0/16", "10.1.0.1"), definition("host", "10.1.0.0/16", "10.1.0.1"),
            definition("../x", "10.1.0.0/16", "10.1.0.1"), definition("a/b", "10.1.0.0/16", "10.1.0.1"),
            definition("a", "10.1.0.0/16", "10.2.0.1"), definition("a", "10.1.0.0/31", "10.1.0.1"),
            definition("a", "127.0.0.0/8", "127.0.0.1"), definition("a", "224.0.0.0/8", "224.0.0.1"),
            definition("a", "10.1.0.0/16", "10.1.0.0"), definition("a", "10.1.0.0/16", "10.1.0.1", mtu: 60),
            definition("a", "0.0.0.0/2", "0.0.0.1"),
        ]
        for network in wrong { #expect(throws: NetworkFailure.self, "\(network)") { try network.check() } }
    }

    @Test func `published ports are read as docker writes them`() throws {
        func text(_ port: String) throws -> [String] { try PublishedPort.parse(port).map(\.description) }
        #expect(try text("8080:80") == ["80/tcp -> 0.0.0.0:8080"])
        #expect(try text("127.0.0.1:53:53/udp") == ["53/udp -> 127.0.0.1:53"])
        #expect(try text("80") == ["80/tcp -> 0.0.0.0:0"])
        #expect(try text("127.0.0.1::80") == ["80/tcp -> 127.0.0.1:0"])
        #expect(try text("[::]:8080:80") == ["80/tcp -> [::]:8080"])
        #expect(try text("7000-7001:80-81") == ["80/tcp -> 0.0.0.0:7000", "81/tcp -> 0.0.0.0:7001"])
        for wrong in [
            "", "0", "65536", "80:0", "a:80", "80/sctp", "1-3:1-2", "3-1:3-1", "1:2:3:4", "[::1:80:80", "1.2.3:80:80", "1-60000", "-1",
            "+80", "80/tcp/udp", "[10.0.0.1]:80:80", "80:",
        ] {
            #expect(throws: NetworkFailure.self, "\(wrong)") { try PublishedPort.parse(wrong) }
        }
    }
}
