/// One step of a packet rule as the kernel's nf_tables takes it, linux/netfilter/nf_tables.h. Pure.
///
/// A rule is a row of these: each puts something into a register, or compares, or decides. Registers are of 16 bytes; 0
/// is the verdict's.
package enum PacketRuleExpression: Hashable, Sendable {
    /// The packet's protocol (IPPROTO_TCP and the like), one byte.
    case loadTransport
    /// Whether it is IPv4 or IPv6 (NFPROTO_IPV4, NFPROTO_IPV6), one byte.
    case loadFamily
    /// Bytes of the network header.
    case loadNetworkHeader(offset: UInt32, count: UInt32)
    /// Goes on only if the first register is this.
    case isEqual([UInt8])
    /// A value into a register.
    case set(register: UInt32, [UInt8])
    /// A number below this, by chance.
    case random(below: UInt32)
    /// What a map of the same batch has for the first register, in its place.
    case look(anonymousMap: UInt32)
    /// Replaces the target by what the two registers hold: address and port. `isExplicit`: the port was written down.
    case redirect(isIPv6: Bool, portRegister: UInt32, isExplicit: Bool)
    case decide(PacketVerdict)

    static let first: UInt32 = 1

    /// NFT_REG_1 is also the four registers of four bytes from number 8 on: the second of those.
    package static let secondWord: UInt32 = 9

    private var name: String {
        switch self {
        case .loadTransport, .loadFamily: "meta"
        case .loadNetworkHeader: "payload"
        case .isEqual: "cmp"
        case .set, .decide: "immediate"
        case .random: "numgen"
        case .look: "lookup"
        case .redirect: "nat"
        }
    }

    /// NFTA_EXPR_NAME and NFTA_EXPR_DATA.
    func encode(into writer: inout NetlinkWriter) {
        writer.attribute(1, name)
        writer.nested(2 | NetlinkWriter.isNested) { data in encodeData(&data) }
    }

    private func encodeData(_ data: inout NetlinkWriter) {
        switch self {
        case .loadTransport, .loadFamily:
            data.big(2, self == .loadTransport ? 16 : 15)
            data.big(1, Self.first)
        case .loadNetworkHeader(let offset, let count):
            data.big(1, Self.first)
            data.big(2, 1)
            data.big(3, offset)
            data.big(4, count)
        case .isEqual(let value):
            data.big(1, Self.first)
            data.big(2, 0)
            data.nested(3 | NetlinkWriter.isNested) { $0.attribute(1, value) }
        case .set(let register, let value):
            data.big(1, register)
            data.nested(2 | NetlinkWriter.isNested) { $0.attribute(1, value) }
        case .random(let limit):
            data.big(1, Self.first)
            data.big(2, limit)
            data.big(3, 1)
            data.big(4, 0)
        case .look(let map):
            data.big(2, Self.first)
            data.big(3, Self.first)
            data.attribute(1, PacketRuleBatch.anonymousMap)
            data.big(4, map)
        case .redirect(let isIPv6, let portRegister, let isExplicit):
            data.big(1, 1)
            data.big(2, PacketRuleBatch.family(isIPv6))
            data.big(3, Self.first)
            data.big(5, portRegister)
            // NF_NAT_RANGE_PROTO_SPECIFIED
            if isExplicit { data.big(7, 2) }
        case .decide(let verdict):
            data.big(1, 0)
            data.nested(2 | NetlinkWriter.isNested) { verdict.encode(into: &$0) }
        }
    }
}

/// What is decided about a packet, or which chain decides.
package enum PacketVerdict: Hashable, Sendable {
    case accept
    case drop
    /// A chain is asked; what it leaves open comes back.
    case jump(String)
    /// A chain is asked instead of the rest of this one.
    case goto(String)

    /// NFTA_DATA_VERDICT with NFTA_VERDICT_CODE and NFTA_VERDICT_CHAIN.
    func encode(into writer: inout NetlinkWriter) {
        writer.nested(2 | NetlinkWriter.isNested) { verdict in
            switch self {
            case .drop: verdict.big(1, 0)
            case .accept: verdict.big(1, 1)
            case .jump(let chain):
                verdict.big(1, UInt32(bitPattern: -3))
                verdict.attribute(2, chain)
            case .goto(let chain):
                verdict.big(1, UInt32(bitPattern: -4))
                verdict.attribute(2, chain)
            }
        }
    }
}

extension NetlinkWriter {
    /// NLA_F_NESTED: made of attributes.
    static let isNested: UInt16 = 0x8000

    /// A number in network order, as nfnetlink has them.
    mutating func big(_ type: UInt16, _ number: UInt32) { attribute(type, number.bigEndian) }
}
