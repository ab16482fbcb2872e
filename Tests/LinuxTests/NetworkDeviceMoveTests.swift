import Linux
import TestKit
import Testing

/// Devices that move into a container's network, between namespaces of the test's own.
@Suite(.enabled(if: isRoot), .timeLimit(.minutes(1)))
struct NetworkDeviceMoveTests {
    private let home: SharedFD
    private let away: SharedFD
    private let address = IPAddress("10.77.5.2")!
    private let address6 = IPAddress("fd00:77::2")!

    /// A device "fkmove" with two addresses at home, whose other end hangs on a bridge in a third namespace.
    init() throws {
        home = try NetworkNamespace.make()
        away = try NetworkNamespace.make()
        let third = try NetworkNamespace.make()
        try NetworkNamespace.visit(third) { [home] () throws(SystemError) in
            let socket = try NetlinkSocket()
            try socket.perform(.makeBridge("bridge", hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: nil))
            let bridge = try socket.links().first { $0.name == "bridge" }
            let peer = NetlinkRequest.Peer(name: "fkmove", hardwareAddress: [2, 0, 0, 0, 0, 2], namespace: home.raw)
            try socket.perform(.makePair("port", bridge: bridge!.index, mtu: nil, peer: peer))
            // The pair goes with this namespace: it has to live as long as the other end does.
        }
        try NetworkNamespace.visit(home) { [address, address6] () throws(SystemError) in
            let socket = try NetlinkSocket()
            let link = try socket.links().first { $0.name == "fkmove" }
            try socket.perform(.addAddress(address, prefix: 24, link: link!.index))
            try socket.perform(.addAddress(address6, prefix: 64, link: link!.index))
        }
        self.third = third
    }

    private let third: SharedFD

    private func names(_ namespace: SharedFD) throws -> Set<String> {
        Set(try NetworkNamespace.visit(namespace) { () throws(SystemError) in try NetlinkSocket().links() }.map(\.name))
    }

    private func move(_ name: String, as new: String?) throws {
        try NetworkNamespace.visit(home) { [away] () throws(SystemError) in
            try NetworkDevices.move(name, to: away, as: new)
        }
    }

    @Test(arguments: [nil, "eth7", "net%d"])
    func `a device moves with its addresses, is renamed and comes up`(name: String?) throws {
        try move("fkmove", as: name)
        #expect(try !names(home).contains("fkmove"))
        let new = name == "net%d" ? "net0" : name ?? "fkmove"
        #expect(try names(away).contains(new))
        let (addresses, addresses6, flags) = try NetworkNamespace.visit(away) { () throws(SystemError) in
            (
                try Files.readText("/proc/thread-self/net/fib_trie"), try Files.readText("/proc/thread-self/net/if_inet6"),
                try NetlinkSocket().routedSubnets(isIPv6: false)
            )
        }
        #expect(addresses.contains("10.77.5.2"))
        #expect(addresses6.contains("fd000077000000000000000000000002") && addresses6.contains(new))
        // A route to its subnet there is only while it is up.
        #expect(flags.map(\.description).contains("10.77.5.0/24"))
    }

    @Test func `a name that is taken is refused before anything moves`() throws {
        let error = #expect(throws: SystemError.self) { try move("fkmove", as: "lo") }
        #expect(error?.code == .exists)
        #expect(try names(home).contains("fkmove"))
    }

    @Test func `what is not there or cannot be moved is refused`() throws {
        #expect(#expect(throws: SystemError.self) { try move("nosuch", as: nil) }?.code == .noSuchDevice)
        let error = #expect(throws: SystemError.self) { try move("lo", as: "other") }
        #expect(error?.description.contains("lo") == true)
        #expect(try names(home).contains("lo"))
    }
}
