import Linux

/// Opening TCP connections without holding up a thread.
enum Connecting {
    /// A connection to an endpoint of this machine's own network.
    static func connect(_ endpoint: InternetEndpoint) async throws(SystemError) -> SharedFD {
        try await finish(SharedFD(try InternetSocket.connect(.stream, to: endpoint)), endpoint)
    }

    /// The same from inside another network namespace, where the socket then stays.
    static func connect(_ endpoint: InternetEndpoint, in namespace: SharedFD) async throws(SystemError) -> SharedFD {
        let fd = try await BlockingPool.shared.run { () throws(SystemError) in
            try NetworkNamespace.visit(namespace) { () throws(SystemError) in
                SharedFD(try InternetSocket.connect(.stream, to: endpoint))
            }
        }
        return try await finish(fd, endpoint)
    }

    /// Writable is how the kernel says that it is over; whether it went well, its peer does.
    private static func finish(_ fd: SharedFD, _ endpoint: InternetEndpoint) async throws(SystemError) -> SharedFD {
        try await Readiness.shared.writable(fd.raw)
        do throws(SystemError) { _ = try InternetSocket.peer(fd.raw) } catch {
            throw SystemError("connect to", "\(endpoint)", code: Errno(111), advice: "Nobody listens there.")
        }
        return fd
    }
}
