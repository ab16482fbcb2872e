import Linux
import TestKit
import Testing

@testable import Functions

/// Networks of instances: namespaces with a listener inside.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct InstanceNetworksTests {
    @Test func `a listener inside is reached from inside only`() async throws {
        let network = try InstanceNetwork.make()
        let socket = try InstanceNetwork.connect(to: InstanceNetwork.port, in: network.namespace)
        #expect(try Descriptors.isWritable(socket.raw, withinMilliseconds: 5000))
        #expect(throws: Never.self) { try InternetSocket.peer(socket.raw) }
        // Another namespace, another 127.0.0.1.
        let other = try InstanceNetwork.make()
        #expect(throws: Never.self) { try InternetSocket.local(other.listener.raw) }
    }

    @Test func `each network is given once`() async throws {
        let networks = InstanceNetworks(target: 3)
        networks.warm()
        try await eventually("three that wait") { networks.readyCount == 3 }
        var namespaces: Set<UInt64> = []
        for _ in 0..<6 {
            let network = try await networks.take()
            namespaces.insert(try Files.status(of: network.namespace.raw).inode)
            // Held until all are taken: a number is free again once its namespace is gone.
            held.append(network.namespace)
        }
        #expect(namespaces.count == 6)
        networks.close()
    }

    private final class Held { var all: [SharedFD] = [] }
    private let holder = Held()
    private var held: [SharedFD] {
        get { holder.all }
        nonmutating set { holder.all = newValue }
    }

    @Test func `so many wait as were wanted`() async throws {
        let networks = InstanceNetworks(target: 2)
        networks.warm()
        try await eventually("two that wait") { networks.readyCount == 2 }
        _ = networks.takeReady()
        try await eventually("two again") { networks.readyCount == 2 }
        networks.close()
        #expect(networks.readyCount == 0)
    }
}
