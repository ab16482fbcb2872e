import Linux
import TestKit
import Testing

@testable import Networking

@Suite struct `names` {
    private let web = IPAddress("10.201.0.2")!
    private let db = IPAddress("10.201.0.3")!
    private let lone = IPAddress("10.202.0.2")!

    private func table() -> NameTable {
        var table = NameTable()
        table.set([.init(containerID: "1", network: "a", names: ["web", "www"], addresses: [web, IPAddress("fd00::2")!])], of: "1")
        table.set([.init(containerID: "2", network: "a", names: ["DB"], addresses: [db])], of: "2")
        table.set([.init(containerID: "3", network: "b", names: ["lone"], addresses: [lone], isInternal: true)], of: "3")
        return table
    }

    private func query(_ name: String, _ type: UInt16 = DNSQuestion.typeA) -> DNSMessage {
        DNSMessage(id: 7, flags: DNSMessage.recursionDesired, questions: [DNSQuestion(DNSName(name)!, type: type)])
    }

    private func addresses(_ decision: NameTable.Decision) -> [String]? {
        guard case .reply(let message) = decision, message.code == 0 else { return nil }
        return message.answers.map { IPAddress(bytes: $0.data).description }
    }

    @Test func `names, aliases and addresses lead to each other`() throws {
        #expect(addresses(table().decide(query("WWW"), from: db)) == ["10.201.0.2"])
        #expect(addresses(table().decide(query("db"), from: web)) == ["10.201.0.3"])
        #expect(addresses(table().decide(query("web.a"), from: db)) == ["10.201.0.2"])
        #expect(addresses(table().decide(query("web", DNSQuestion.typeAAAA), from: db)) == ["fd00::2"])
        #expect(addresses(table().decide(query("db", DNSQuestion.typeAAAA), from: web)) == [])
        guard case .reply(let pointer) = table().decide(query("2.0.201.10.in-addr.arpa", DNSQuestion.typePointer), from: db)
        else {
            Issue.record("no reply")
            return
        }
        #expect(pointer.answers.first?.data == DNSName("web.a")!.encoded)
    }

    @Test func `a name is known in its network only`() {
        #expect(addresses(table().decide(query("web"), from: lone)) == nil)
        #expect(table().decide(query("lone"), from: web) == .forward([]))
    }

    @Test func `an internal network does not forward`() {
        let elsewhere = query("example.org")
        #expect(table().decide(elsewhere, from: web) == .forward([]))
        #expect(table().decide(elsewhere, from: lone) == .reply(elsewhere.reply(.nameError)))
    }

    @Test func `strangers are refused`() {
        let elsewhere = query("web")
        #expect(table().decide(elsewhere, from: IPAddress("10.201.0.9")!) == .reply(elsewhere.reply(.refused, authoritative: false)))
    }

    @Test func `a container that left is forgotten`() {
        var table = table()
        table.set([], of: "1")
        table.set([], of: "2")
        table.set([], of: "3")
        #expect(table == NameTable())
    }

    @Test func `a message survives writing and reading`() throws {
        let name = DNSName("Web.Example")!
        let message = query("web.example").reply(
            .noError, answers: [DNSRecord(name, type: 1, timeToLive: 70000, data: [10, 0, 0, 1]),
                DNSRecord(DNSName("other")!, type: 16, timeToLive: 1, data: [])])
        #expect(DNSMessage(message.encoded) == message)
    }

    @Test func `an answer that is too long is cut off and says so`() throws {
        let name = DNSName("x")!
        let many = query("x").reply(
            .noError, answers: (0..<100).map { DNSRecord(name, type: 1, timeToLive: 5, data: [10, 0, 0, UInt8($0)]) })
        let short = try #require(DNSMessage(many.encoded(limit: 512)))
        #expect(short.flags & DNSMessage.truncated != 0 && short.answers.isEmpty && many.encoded(limit: 512).count <= 512)
    }

    @Test func `a name that points at itself is refused`() {
        let header: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        #expect(DNSMessage(header + [0xc0, 12, 0, 1, 0, 1]) == nil)
        #expect(DNSMessage(header + [1, 97, 0xc0, 12, 0, 1, 0, 1]) == nil)
        #expect(DNSMessage(header + [0xc0, 14, 0xc0, 12, 0, 1, 0, 1]) == nil)
        #expect(DNSMessage(header + [0x40, 0, 0, 1, 0, 1]) == nil)
    }

    @Test func `bytes that are no message are refused`() {
        var chance = SeededChance(seed: 4)
        let sample = query("a.long.name.example").reply(
            .noError, answers: [DNSRecord(DNSName("a.long.name.example")!, type: 1, timeToLive: 1, data: [1, 2, 3, 4])]
        ).encoded
        for length in 0..<sample.count { #expect(DNSMessage(Array(sample.prefix(length))) == nil) }
        for _ in 0..<20_000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...6, using: &chance) {
                bytes[Int.random(in: bytes.indices, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
            }
            // Whatever is read can be written, and is then read the same.
            if let message = DNSMessage(bytes) { #expect(DNSMessage(message.encoded) == message) }
        }
    }

    @Test func `the resolver's file is read as the resolver reads it`() {
        let file = ResolverFile("# c\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nsearch a b\noptions ndots:2\nwhat ever\n")
        #expect(file.nameServers.map(\.description) == ["10.0.0.1"])
        #expect(file.text == "nameserver 10.0.0.1\nsearch a b\noptions ndots:2\n")
    }

    @Test func `what a container wrote into its hosts file stays`() {
        let (first, second) = (IPAddress("10.201.0.2")!, IPAddress("10.202.0.2")!)
        let own = HostsFile.text(hostname: "h", addresses: [first], extra: [("far", IPAddress("192.0.2.1")!)])
        let changed = own + "# mine\n10.0.0.1 x 10.201.0.2\nno newline"
        let joined = HostsFile.adding([("h", second)], to: changed)
        #expect(joined == changed + "\n10.202.0.2\th\n")
        #expect(HostsFile.removing([second], from: joined) == changed + "\n")
        #expect(HostsFile.removing([first], from: joined) == joined.replacing("10.201.0.2\th\n", with: ""))
    }

    @Test func `host names are of letters, digits and dashes`() {
        for name in ["web", "a.b-c", "x_1", "A9."] { #expect(DNSName.isHostName(name)) }
        for name in ["", ".", "a..b", "a b", "a\nb", "é", String(repeating: "a", count: 64)] { #expect(!DNSName.isHostName(name)) }
    }
}
