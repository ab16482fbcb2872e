package import Linux
internal import Networking

/// The network of one instance: a namespace with nothing but the loopback interface, and a socket that listens inside it
/// at 127.0.0.1:9001, where the node serves the Runtime API.
///
/// Never used twice: the socket that listens is one trace, connections that wait out their end are others, and a
/// program with a raw idea of its neighbour finds both.
package struct InstanceNetwork: ~Copyable, Sendable {
    /// `AWS_LAMBDA_RUNTIME_API`.
    package static let runtimeAPI = "127.0.0.1:9001"
    package static let port: UInt16 = 9001

    /// Open /proc/PID/ns/net.
    package let namespace: SharedFD
    package let listener: OwnedFD

    /// Makes one; half a millisecond on a thread that may block.
    package static func make() throws(SystemError) -> InstanceNetwork {
        let namespace = try NamespaceMaking.make([])
        return try InstanceNetwork(listeningIn: namespace)
    }

    /// The same in a namespace that is there, with its loopback interface up.
    package init(listeningIn namespace: SharedFD) throws(SystemError) {
        self.init(namespace: namespace, listener: try Self.socket(in: namespace))
    }

    init(namespace: SharedFD, listener: consuming OwnedFD) {
        self.namespace = namespace
        self.listener = listener
    }

    private static func socket(in namespace: SharedFD) throws(SystemError) -> OwnedFD {
        // The number alone passes through the closure's generic result.
        let raw = try NetworkNamespace.visit(namespace) { () throws(SystemError) -> CInt in
            try InternetSocket.bind(.stream, to: InternetEndpoint(IPAddress(bytes: [127, 0, 0, 1]), port)).release()
        }
        return OwnedFD(adopting: raw)
    }

    /// A connection to a port inside, made by a thread of the node that visits the namespace. Blocks shortly.
    package static func connect(to port: UInt16, in namespace: SharedFD) throws(SystemError) -> OwnedFD {
        let raw = try NetworkNamespace.visit(namespace) { () throws(SystemError) -> CInt in
            try InternetSocket.connect(.stream, to: InternetEndpoint(IPAddress(bytes: [127, 0, 0, 1]), port)).release()
        }
        return OwnedFD(adopting: raw)
    }
}
