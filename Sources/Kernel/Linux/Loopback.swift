import CKernel

/// A local service that accepts connections and nothing more.
package enum Loopback {
    /// A listening TCP socket and its port.
    package struct Listening: ~Copyable {
        package let descriptor: OwnedFD
        package let port: UInt16
    }

    /// Listens at a free port of 127.0.0.1, ip(7).
    package static func listen() throws(SystemError) -> Listening {
        var port: UInt16 = 0
        let fd = OwnedFD(adopting: CInt(try call("listen at", "127.0.0.1") { ck_listen_loopback(&port) }))
        return Listening(descriptor: fd, port: port)
    }
}
