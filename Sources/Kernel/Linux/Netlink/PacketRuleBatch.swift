/// Changes to one table of packet rules that the kernel makes all at once or not at all, nfnetlink's batches:
/// linux/netfilter/nfnetlink.h and nf_tables.h. Pure.
///
/// It knows what changes often: elements of sets and maps, chains, and rules that are few steps. Whole tables are
/// written in the language of nft(8).
///
/// Invariants
/// 1. The bytes are those that nft sends for the same change. (test: `a batch has the bytes that nft sends`)
/// 2. No attribute is longer than its length can say, however many elements there are.
///    (test: `elements of any number are split over messages`)
package struct PacketRuleBatch: Sendable {
    /// A table of the family inet.
    package let table: String
    private var messages: [UInt8] = []
    /// Where the last of them begins.
    private var last = 0
    private var count: UInt32 = 0

    package init(table: String) { self.table = table }

    package var isEmpty: Bool { count == 0 }

    /// An element of a set or a map.
    package struct Element: Hashable, Sendable {
        /// What a map has for a key.
        package enum Value: Hashable, Sendable {
            case verdict(PacketVerdict)
            /// As the map's type says, padded as keys are.
            case bytes([UInt8])
        }

        /// As the set's type says, each part of a composed one padded to four bytes.
        package var key: [UInt8]
        package var value: Value?

        package init(key: [UInt8], value: Value? = nil) {
            self.key = key
            self.value = value
        }

        package init(key: [UInt8], verdict: PacketVerdict) { self.init(key: key, value: .verdict(verdict)) }
    }

    // linux/netfilter/nf_tables.h, enum nf_tables_msg_types
    private static let newChain: UInt16 = 3
    private static let removeChain: UInt16 = 5
    private static let newRule: UInt16 = 6
    private static let removeRule: UInt16 = 8
    private static let newSet: UInt16 = 9
    private static let removeSet: UInt16 = 11
    private static let newElement: UInt16 = 12
    private static let removeElement: UInt16 = 14
    private static let subsystem: UInt16 = 10
    private static let createFlag: UInt16 = 0x400
    private static let appendFlag: UInt16 = 0x800
    /// What `look` names: the kernel puts a number there.
    static let anonymousMap = "__map%d"
    /// Some 90 bytes each at most: far below the 65,535 of an attribute.
    private static let elementsOfMessage = 400

    static func family(_ isIPv6: Bool) -> UInt32 { isIPv6 ? 10 : 2 }

    package mutating func add(_ elements: [Element], to set: String) {
        write(elements, Self.newElement, Self.createFlag) {
            $0.attribute(2, set)
        } _: { element, writer in
            Self.encode(element, &writer)
        }
    }

    package mutating func remove(_ elements: [Element], from set: String) {
        // The key says which.
        write(elements, Self.removeElement, 0) {
            $0.attribute(2, set)
        } _: { element, writer in
            Self.encode(Element(key: element.key), &writer)
        }
    }

    /// One that is there already is fine.
    package mutating func addChain(_ name: String) { message(Self.newChain, Self.createFlag) { $0.attribute(3, name) } }

    package mutating func removeChain(_ name: String) { message(Self.removeChain, 0) { $0.attribute(3, name) } }

    /// Removes all rules of a chain.
    package mutating func flushChain(_ name: String) { message(Self.removeRule, 0) { $0.attribute(2, name) } }

    package mutating func removeSet(_ name: String) { message(Self.removeSet, 0) { $0.attribute(2, name) } }

    /// Appends a rule to a chain.
    package mutating func addRule(_ expressions: [PacketRuleExpression], to chain: String) {
        message(Self.newRule, Self.createFlag | Self.appendFlag) { writer in
            writer.attribute(2, chain)
            writer.nested(4 | NetlinkWriter.isNested) { list in
                for expression in expressions { list.nested(1 | NetlinkWriter.isNested, expression.encode) }
            }
        }
    }

    /// A map without a name, for one rule of this batch: from 0, 1, 2 ... to endpoints of one family.
    ///
    /// - Returns: what `PacketRuleExpression.look` takes.
    package mutating func addMap(of endpoints: [InternetEndpoint], isIPv6: Bool) -> UInt32 {
        // As good as any number that no other map of the batch has.
        let id = count + 1
        message(Self.newSet, Self.createFlag) { writer in
            writer.attribute(2, Self.anonymousMap)
            // Anonymous, constant, a map.
            writer.big(3, 0x1 | 0x2 | 0x8)
            // The kernel only keeps the numbers of types; nft's: integer, and address . service.
            writer.big(4, 4)
            writer.big(5, 4)
            writer.big(6, (isIPv6 ? 8 : 7) << 6 | 13)
            writer.big(7, isIPv6 ? 20 : 8)
            writer.big(10, id)
            writer.nested(9 | NetlinkWriter.isNested) { $0.big(1, UInt32(endpoints.count)) }
            // nft's own notes for listings: numbers of keys are in the machine's order.
            writer.attribute(13, [0, 4, 1, 0, 0, 0, 1, 4, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0])
        }
        write(endpoints.enumerated(), Self.newElement, Self.createFlag) { writer in
            writer.attribute(2, Self.anonymousMap)
            writer.big(4, id)
        } _: { entry, writer in
            let (index, endpoint) = entry
            let key = withUnsafeBytes(of: UInt32(index)) { Array($0) }
            let value = Element.Value.bytes(endpoint.address.bytes + Self.padded(endpoint.port))
            Self.encode(Element(key: key, value: value), &writer)
        }
        return id
    }

    /// A port as part of a composed value.
    package static func padded(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(truncatingIfNeeded: port), 0, 0] }

    private static func encode(_ element: Element, _ writer: inout NetlinkWriter) {
        writer.nested(1 | NetlinkWriter.isNested) { $0.attribute(1, element.key) }
        guard let value = element.value else { return }
        writer.nested(2 | NetlinkWriter.isNested) { data in
            switch value {
            case .verdict(let verdict): verdict.encode(into: &data)
            case .bytes(let bytes): data.attribute(1, bytes)
            }
        }
    }

    private mutating func write<Entries: Sequence>(
        _ entries: Entries, _ type: UInt16, _ flags: UInt16, _ place: (inout NetlinkWriter) -> Void,
        _ encode: (Entries.Element, inout NetlinkWriter) -> Void
    ) {
        var rest = Array(entries)[...]
        while !rest.isEmpty {
            message(type, flags) { writer in
                place(&writer)
                writer.nested(3 | NetlinkWriter.isNested) { list in
                    for (index, entry) in rest.prefix(Self.elementsOfMessage).enumerated() {
                        list.nested(UInt16(index + 1) | NetlinkWriter.isNested) { encode(entry, &$0) }
                    }
                }
            }
            rest = rest.dropFirst(Self.elementsOfMessage)
        }
    }

    private mutating func message(_ type: UInt16, _ flags: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        count += 1
        last = messages.count
        var writer = NetlinkWriter()
        // struct nfgenmsg: NFPROTO_INET, version 0, no resource.
        writer.bytes = [1, 0, 0, 0]
        writer.attribute(1, table)
        body(&writer)
        messages +=
            NetlinkMessage(
                type: Self.subsystem << 8 | type, flags: NetlinkRequest.isRequest | flags, sequence: count,
                payload: writer.bytes
            ).encoded
    }

    /// The whole as it is sent. The last message asks for an answer, which comes when all was done.
    package var encoded: [UInt8] {
        var messages = messages
        if !isEmpty { messages[last + 6] |= UInt8(NetlinkRequest.acknowledge) }
        func border(_ type: UInt16, _ sequence: UInt32) -> [UInt8] {
            NetlinkMessage(
                type: type, flags: NetlinkRequest.isRequest, sequence: sequence,
                payload: [0, 0, 0, UInt8(Self.subsystem)]
            ).encoded
        }
        return border(16, 0) + messages + border(17, count + 1)
    }
}
