import Linux
import NIOCore
import Networking

/// Opening TCP connections without holding up a thread.
enum Connecting {
    /// A connection from the machine's own network.
    static func connect(_ endpoint: InternetEndpoint, _ machine: MachineNetwork) async throws(SystemError) -> SharedFD {
        let fd = try await machine.run { () throws(SystemError) in
            SharedFD(try InternetSocket.connect(.stream, to: endpoint))
        }
        return try await finish(fd, endpoint)
    }

    /// The same from inside another network namespace, where the socket then stays.
    static func connect(_ endpoint: InternetEndpoint, in namespace: SharedFD) async throws(SystemError) -> SharedFD {
        try await connect(endpoint, MachineNetwork(namespace))
    }

    /// Writable is how the kernel says that it is over; whether it went well, its peer does.
    private static func finish(_ fd: SharedFD, _ endpoint: InternetEndpoint) async throws(SystemError) -> SharedFD {
        try await Readiness.shared.writable(fd.raw)
        do throws(SystemError) { _ = try InternetSocket.peer(fd.raw) } catch {
            throw SystemError("connect to", "\(endpoint)", code: Errno(111), advice: "Nobody listens there.")
        }
        return fd
    }

    /// The address that a host name means to the machine.
    static func resolve(_ host: String) async throws(SystemError) -> IPAddress {
        if let address = IPAddress(host) { return address }
        let found = try await BlockingPool.shared.run { () throws(SystemError) in
            (try? SocketAddress.makeAddressResolvingHost(host, port: 0))?.ipAddress
        }
        guard let found, let address = IPAddress(found) else {
            throw SystemError("look up", host, code: .noEntry, advice: "No such host.")
        }
        return address
    }
}
