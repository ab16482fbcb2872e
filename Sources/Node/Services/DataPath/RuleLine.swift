import Linux

/// One rule in nft's language, as steps for the kernel. Pure.
///
/// Of the language it reads what rules are made of that come and go with pods: where a service's port leads, and who
/// isolates a pod. Everything else is left to nft.
struct RuleLine: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// "accept", "drop", "jump CHAIN", "goto CHAIN"
        case verdict(PacketVerdict)
        /// "ip saddr ADDRESS accept"
        case address(IPAddress, isSource: Bool, PacketVerdict)
        /// "meta l4proto tcp dnat ip to ADDRESS:PORT"
        case one(UInt8, InternetEndpoint)
        /// "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : ADDRESS . PORT, 1 : ADDRESS . PORT }"
        case many(UInt8, [InternetEndpoint], isIPv6: Bool)
    }

    var kind: Kind

    static let transports: [Substring: UInt8] = ["tcp": 6, "udp": 17, "sctp": 132]

    init?(_ text: String) {
        guard let kind = Self.verdict(text[...]).map(Kind.verdict) ?? Self.address(text) ?? Self.redirect(text) else {
            return nil
        }
        self.kind = kind
    }

    /// "goto CHAIN" and the like.
    static func verdict(_ text: Substring) -> PacketVerdict? {
        let words = text.split(separator: " ")
        switch (words.first, words.count) {
        case ("accept", 1): return .accept
        case ("drop", 1): return .drop
        case ("jump", 2): return .jump(String(words[1]))
        case ("goto", 2): return .goto(String(words[1]))
        default: return nil
        }
    }

    private static func address(_ text: String) -> Kind? {
        let words = text.split(separator: " ", maxSplits: 3)
        guard words.count == 4, words[0] == "ip" || words[0] == "ip6", words[1] == "saddr" || words[1] == "daddr",
            let address = IPAddress(words[2]), address.isIPv6 == (words[0] == "ip6"),
            let verdict = Self.verdict(words[3])
        else { return nil }
        return .address(address, isSource: words[1] == "saddr", verdict)
    }

    private static func redirect(_ text: String) -> Kind? {
        let words = text.split(separator: " ", maxSplits: 6)
        guard words.count == 7, words[0] == "meta", words[1] == "l4proto", let transport = transports[words[2]],
            words[3] == "dnat", words[4] == "ip" || words[4] == "ip6", words[5] == "to"
        else { return nil }
        let isIPv6 = words[4] == "ip6"
        if let endpoint = Self.endpoint(words[6], isIPv6: isIPv6) { return .one(transport, endpoint) }
        let choice = words[6].split(separator: " ", maxSplits: 4)
        guard choice.count == 5, choice[0] == "numgen", choice[1] == "random", choice[2] == "mod",
            let count = Int(choice[3]),
            choice[4].hasPrefix("map { "), choice[4].hasSuffix(" }")
        else { return nil }
        let members = choice[4].dropFirst(6).dropLast(2).split(separator: ", ")
        guard members.count == count else { return nil }
        var endpoints: [InternetEndpoint] = []
        for (index, member) in members.enumerated() {
            let sides = member.split(separator: " : ")
            guard sides.count == 2, sides[0] == "\(index)" else { return nil }
            let parts = sides[1].split(separator: " . ")
            guard parts.count == 2, let address = IPAddress(parts[0]), address.isIPv6 == isIPv6,
                let port = UInt16(parts[1])
            else {
                return nil
            }
            endpoints.append(InternetEndpoint(address, port))
        }
        return .many(transport, endpoints, isIPv6: isIPv6)
    }

    /// "10.42.0.9:80", "[fd00::9]:80"
    private static func endpoint(_ text: Substring, isIPv6: Bool) -> InternetEndpoint? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if isIPv6 {
            guard host.hasPrefix("["), host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
        }
        guard let address = IPAddress(host), address.isIPv6 == isIPv6 else { return nil }
        return InternetEndpoint(address, port)
    }

    /// Appends the rule to a chain, as nft would.
    func add(to chain: String, of batch: inout PacketRuleBatch) {
        switch kind {
        case .verdict(let verdict): batch.addRule([.decide(verdict)], to: chain)
        case .address(let address, let isSource, let verdict):
            let (size, offset): (UInt32, UInt32) = address.isIPv6 ? (16, isSource ? 8 : 24) : (4, isSource ? 12 : 16)
            batch.addRule(
                [
                    .loadFamily, .isEqual([address.isIPv6 ? 10 : 2]), .loadNetworkHeader(offset: offset, count: size),
                    .isEqual(address.bytes), .decide(verdict),
                ], to: chain)
        case .one(let transport, let endpoint):
            let port = [UInt8(endpoint.port >> 8), UInt8(truncatingIfNeeded: endpoint.port)]
            batch.addRule(
                [
                    .loadTransport, .isEqual([transport]), .set(register: 1, endpoint.address.bytes),
                    .set(register: 2, port),
                    .redirect(isIPv6: endpoint.address.isIPv6, portRegister: 2, isExplicit: true),
                ], to: chain)
        case .many(let transport, let endpoints, let isIPv6):
            let map = batch.addMap(of: endpoints, isIPv6: isIPv6)
            batch.addRule(
                [
                    .loadTransport, .isEqual([transport]), .random(below: UInt32(endpoints.count)),
                    .look(anonymousMap: map),
                    .redirect(
                        isIPv6: isIPv6, portRegister: isIPv6 ? 2 : PacketRuleExpression.secondWord, isExplicit: false),
                ], to: chain)
        }
    }
}
