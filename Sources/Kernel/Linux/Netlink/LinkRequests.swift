import CKernel

/// Requests about links: rtnetlink(7), linux/if_link.h.
extension NetlinkRequest {
    private static let newLink: UInt16 = 16
    private static let deleteLink: UInt16 = 17
    private static let getLink: UInt16 = 18
    private static let setLink: UInt16 = 19

    private static let hardwareAddress: UInt16 = 1
    static let linkName: UInt16 = 3
    private static let largestPacket: UInt16 = 4
    private static let master: UInt16 = 10
    static let linkInformation: UInt16 = 18
    private static let familyPart: UInt16 = 26
    private static let namespaceDescriptor: UInt16 = 28
    static let kind: UInt16 = 1
    private static let kindData: UInt16 = 2
    private static let portKind: UInt16 = 4
    private static let portData: UInt16 = 5
    private static let hairpinMode: UInt16 = 4
    private static let vethPeer: UInt16 = 1
    private static let addressGeneration: UInt16 = 8

    /// struct ifinfomsg
    static let linkHeaderBytes = 16

    /// The longest name of a link, bytes (IFNAMSIZ without the closing zero).
    package static let linkNameBytesLimit = 15

    /// A bridge, which is down.
    package static func makeBridge(_ name: String, hardwareAddress address: [UInt8], mtu: UInt32?) -> NetlinkRequest {
        var writer = linkHeader()
        writer.attribute(linkName, name)
        writer.attribute(hardwareAddress, address)
        if let mtu { writer.attribute(largestPacket, mtu) }
        writer.nested(linkInformation) { $0.attribute(kind, "bridge") }
        return NetlinkRequest(type: newLink, flags: create, payload: writer.bytes, operation: "make bridge", subject: name)
    }

    /// The end of a veth pair that lies in another namespace.
    package struct Peer: Sendable {
        package var name: String
        package var hardwareAddress: [UInt8]
        /// Open namespace, borrowed.
        package var namespace: CInt

        package init(name: String, hardwareAddress: [UInt8], namespace: CInt) {
            self.name = name
            self.hardwareAddress = hardwareAddress
            self.namespace = namespace
        }
    }

    /// A veth pair, veth(4): one end here as a port of a bridge, the other in another namespace; both are down.
    package static func makePair(_ name: String, bridge: Int32, mtu: UInt32?, peer: Peer) -> NetlinkRequest {
        var writer = linkHeader()
        writer.attribute(linkName, name)
        writer.attribute(master, UInt32(bitPattern: bridge))
        if let mtu { writer.attribute(largestPacket, mtu) }
        writer.nested(linkInformation) {
            $0.attribute(kind, "veth")
            $0.nested(kindData) {
                $0.nested(vethPeer) {
                    $0.bytes += linkHeader().bytes
                    $0.attribute(linkName, peer.name)
                    $0.attribute(hardwareAddress, peer.hardwareAddress)
                    if let mtu { $0.attribute(largestPacket, mtu) }
                    $0.attribute(namespaceDescriptor, UInt32(bitPattern: peer.namespace))
                }
            }
        }
        return NetlinkRequest(type: newLink, flags: create, payload: writer.bytes, operation: "make link", subject: name)
    }

    /// Moves a link into another namespace, where it has the name `new`; "%d" in it is for a free number.
    ///
    /// - Parameter namespace: Open namespace, borrowed.
    static func moveLink(_ index: Int32, _ name: String, to namespace: CInt, as new: String) -> NetlinkRequest {
        var writer = linkHeader(index: index)
        writer.attribute(namespaceDescriptor, UInt32(bitPattern: namespace))
        writer.attribute(linkName, new)
        return NetlinkRequest(
            type: setLink, payload: writer.bytes, operation: "move network device \(name) to", subject: new)
    }

    /// Sets a link up.
    package static func bringUp(_ name: String) -> NetlinkRequest {
        let up = UInt32(1)  // IFF_UP, netdevice(7)
        var writer = linkHeader(flags: up, change: up)
        writer.attribute(linkName, name)
        return NetlinkRequest(type: setLink, payload: writer.bytes, operation: "bring up link", subject: name)
    }

    /// Keeps a link from giving itself an IPv6 address when it comes up. The kernel sets flags before this, so it
    /// has to be a request of its own.
    package static func keepWithoutOwnAddresses(_ name: String) -> NetlinkRequest {
        var writer = linkHeader()
        writer.attribute(linkName, name)
        writer.nested(familyPart) {
            // IN6_ADDR_GEN_MODE_NONE
            $0.nested(UInt16(AF_INET6)) { $0.attribute(addressGeneration, [1]) }
        }
        return NetlinkRequest(
            type: setLink, payload: writer.bytes, operation: "keep from choosing IPv6 addresses link", subject: name)
    }

    /// Lets a port of a bridge send back what came from it: a container that asks for its own published port. Where
    /// bridged packets pass the packet rules (br_netfilter), they never leave the bridge.
    package static func allowReturn(_ name: String) -> NetlinkRequest {
        var writer = linkHeader()
        writer.attribute(linkName, name)
        writer.nested(linkInformation) {
            $0.attribute(portKind, "bridge")
            $0.nested(portData) { $0.attribute(hairpinMode, [1]) }
        }
        // Not setLink, which passes over what is said of ports; without the flag to create it changes what is there.
        return NetlinkRequest(type: newLink, payload: writer.bytes, operation: "configure bridge port", subject: name)
    }

    /// Removes a link; both ends of a pair go.
    package static func removeLink(_ name: String) -> NetlinkRequest {
        var writer = linkHeader()
        writer.attribute(linkName, name)
        return NetlinkRequest(type: deleteLink, payload: writer.bytes, operation: "remove link", subject: name)
    }

    /// For `NetlinkSocket.links`.
    static var allLinks: NetlinkRequest {
        NetlinkRequest(type: getLink, payload: linkHeader().bytes, operation: "list links", subject: "")
    }

    private static func linkHeader(index: Int32 = 0, flags: UInt32 = 0, change: UInt32 = 0) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(UInt16(0))
        writer.append(UInt16(0))
        writer.append(index)
        writer.append(flags)
        writer.append(change)
        return writer
    }
}

/// A link as the kernel tells of it.
package struct NetworkLink: Hashable, Sendable {
    package var index: Int32
    package var name: String
    /// "bridge", "veth"; empty for what is a device.
    package var kind: String

    init(_ payload: [UInt8]) {
        index = Int32(bitPattern: NetlinkReader.number32(payload[...], at: 4))
        let attributes = NetlinkReader.attributes(payload, after: NetlinkRequest.linkHeaderBytes)
        name = attributes[NetlinkRequest.linkName].map(NetlinkReader.text) ?? ""
        let information = attributes[NetlinkRequest.linkInformation].map { NetlinkReader.attributes(Array($0), after: 0) }
        kind = information?[NetlinkRequest.kind].map(NetlinkReader.text) ?? ""
    }
}

extension NetlinkSocket {
    /// Every link of the namespace.
    package borrowing func links() throws(SystemError) -> [NetworkLink] { try list(.allLinks).map(NetworkLink.init) }
}
