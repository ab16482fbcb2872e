import Linux

/// The part of our table that never changes: sets, maps and the chains that packets come through. Pure.
///
/// A packet to a service is found by one look into a map, however many services there are. Only the first packet of a
/// connection is looked up: the kernel remembers where the others go. Hooks and priorities: nft(8), CHAINS; ours come
/// before those of the node's networks (-100 and 100), and who decides first about a connection has decided.
enum BaseRules {
    /// Where services' chains are found: what is asked for, and the chain that answers.
    static let services = ["services4", "services6"]
    /// Ports of the machine itself.
    static let ports = ["ports4", "ports6"]
    /// What has an address but nobody who answers.
    static let closed = ["closed4", "closed6"]
    /// Endpoints, twice: a packet from one to itself.
    static let selves = ["selves4", "selves6"]
    static let endpoints = ["endpoints4", "endpoints6"]

    static func text(clusterSubnets: [Subnet], keepsSources: Bool) -> String {
        let types = [("ipv4_addr", 0), ("ipv6_addr", 1)]
        var text = ""
        for (type, index) in types {
            text += """
                  map \(services[index]) { type inet_proto . \(type) . inet_service : verdict; }
                  map \(ports[index]) { type inet_proto . inet_service : verdict; }
                  set \(closed[index]) { type inet_proto . \(type) . inet_service; }
                  set \(selves[index]) { type \(type) . \(type); }
                  set \(endpoints[index]) { type \(type); }

                """
        }
        return text + chains(clusterSubnets, keepsSources: keepsSources)
    }

    private static let lookup = """
        meta l4proto . ip daddr . th dport vmap @services4
            meta l4proto . ip6 daddr . th dport vmap @services6
            meta nfproto ipv4 fib daddr type local meta l4proto . th dport vmap @ports4
            meta nfproto ipv6 fib daddr type local meta l4proto . th dport vmap @ports6
        """

    private static let closing = """
        meta l4proto . ip daddr . th dport @closed4 goto refuse
            meta l4proto . ip6 daddr . th dport @closed6 goto refuse
        """

    /// Redirected packets have another target by then: whatever still goes to a service has nobody to go to.
    /// A program of the machine itself that sends a datagram is told that it may not (EPERM), as by kube-proxy.
    /// What belongs to a connection was looked at with its first packet.
    private static func refusal(_ subnets: [Subnet]) -> String {
        var rules = ["ct state established,related accept", closing]
        rules += subnets.map { "\($0.isIPv6 ? "ip6" : "ip") daddr \($0) goto refuse" }
        return rules.joined(separator: "\n    ")
    }

    /// `keepsSources`: pods on one bridge see who asked although packets go from one to the other without passing the
    /// machine's own stack, because bridged packets pass the rules, too. Where they do not, answers would come from an
    /// address that nobody asked, so the source is replaced by the gateway's (as the node's networks do).
    private static func chains(_ subnets: [Subnet], keepsSources: Bool) -> String {
        let keeping = """
            ct status dnat ip daddr @endpoints4 snat ip to ip saddr
                ct status dnat ip6 daddr @endpoints6 snat ip6 to ip6 saddr
            """
        return """
              chain refuse {
                meta l4proto tcp reject with tcp reset
                reject
              }
              chain arriving {
                type nat hook prerouting priority -110; policy accept;
                \(lookup)
              }
              chain leaving {
                type nat hook output priority -110; policy accept;
                \(lookup)
              }
              chain unanswered {
                type filter hook prerouting priority -90; policy accept;
                \(refusal(subnets))
              }
              chain unanswered_own {
                type filter hook output priority -90; policy accept;
                \(refusal(subnets))
              }
              chain departing {
                type nat hook postrouting priority 90; policy accept;
                ct status dnat ip saddr . ip daddr @selves4 masquerade
                ct status dnat ip6 saddr . ip6 daddr @selves6 masquerade
                ct status dnat ip saddr 127.0.0.0/8 masquerade
                \(keepsSources ? keeping : "")
              }

            """
    }
}
