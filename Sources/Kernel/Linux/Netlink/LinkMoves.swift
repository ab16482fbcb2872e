import CKernel

extension NetlinkRequest {
    private static let getAddress: UInt16 = 22

    /// For `NetlinkSocket.lastingAddresses`.
    fileprivate static var allAddresses: NetlinkRequest {
        NetlinkRequest(
            type: getAddress, payload: [UInt8](repeating: 0, count: 8), operation: "list addresses", subject: "")
    }
}

/// Moving the machine's network devices into a container (runtime-spec config-linux.md, "Network Devices").
package enum NetworkDevices {
    /// Moves a device of this thread's namespace into another one, under a name of its own there, and brings it up. Its
    /// lasting addresses of global scope, which the kernel forgets on the way, go with it.
    ///
    /// - Parameters:
    ///   - namespace: open namespace.
    ///   - newName: nil keeps the name; "%d" in it is for a number that is free there.
    /// - Throws: `SystemError`: ENODEV without such a device, EEXIST when the name is taken there, EINVAL for what
    ///   cannot be moved (a bridge, the loopback).
    package static func move(_ name: String, to namespace: SharedFD, as newName: String?) throws(SystemError) {
        let socket = try NetlinkSocket()
        guard let link = try socket.links().first(where: { $0.name == name }) else {
            throw SystemError("find network device", name, code: .noSuchDevice)
        }
        let addresses = try socket.lastingAddresses(of: link.index)
        let wanted = newName ?? name
        let before = try NetworkNamespace.visit(namespace) { () throws(SystemError) in try NetlinkSocket().links() }
        // The kernel would move it first and then fail to rename it.
        guard !before.contains(where: { $0.name == wanted }) else {
            throw SystemError("move network device \(name) to", wanted, code: .exists)
        }
        try socket.perform(.moveLink(link.index, name, to: namespace.raw, as: wanted))
        try NetworkNamespace.visit(namespace) { () throws(SystemError) in
            let inner = try NetlinkSocket()
            let known = Set(before.map(\.index))
            guard let moved = try inner.links().first(where: { !known.contains($0.index) }) else {
                throw SystemError("find network device", wanted, code: .noSuchDevice)
            }
            for (address, prefix) in addresses {
                try inner.perform(.addAddress(address, prefix: prefix, link: moved.index))
            }
            try inner.perform(.bringUp(moved.name))
        }
    }
}

extension NetlinkSocket {
    /// The addresses of a link that have no end (IFA_F_PERMANENT) and are good everywhere (RT_SCOPE_UNIVERSE).
    fileprivate borrowing func lastingAddresses(
        of link: Int32
    ) throws(SystemError) -> [(address: IPAddress, prefix: Int)] {
        let permanent: UInt32 = 0x80
        return try list(.allAddresses).compactMap { payload in
            // struct ifaddrmsg: family, prefix, flags, scope, index.
            guard payload.count >= 8, payload[3] == 0,
                Int32(bitPattern: NetlinkReader.number32(payload[...], at: 4)) == link
            else { return nil }
            let attributes = NetlinkReader.attributes(payload, after: 8)
            let flags = attributes[8].map { NetlinkReader.number32($0, at: 0) } ?? UInt32(payload[2])
            // IFA_LOCAL, which IPv6 leaves out; at a point-to-point link IFA_ADDRESS is the other end's.
            guard flags & permanent != 0, let bytes = attributes[2] ?? attributes[1], [4, 16].contains(bytes.count) else {
                return nil
            }
            return (IPAddress(bytes: Array(bytes)), Int(payload[1]))
        }
    }
}
