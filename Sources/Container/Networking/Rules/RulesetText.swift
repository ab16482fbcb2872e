/// Rulesets in the language of nft(8). Pure.
///
/// Invariants
/// 1. The whole text replaces whatever was in our table, and applies also where there is none.
///    (test: `rules that somebody flushed are put back as a whole`)
/// 2. Applying a difference leads to the same rules as applying the whole.
///    (test: `a difference leads to the same rules as the whole`)
/// 3. Only our table is ever named. (test: `rules of other tables are left alone`)
package struct RulesetText: Sendable {
    /// "forkless_0123456789": one for each node of the machine.
    package let table: String

    package init(table: String) {
        precondition(
            table.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (97...122).contains($0) }, "a table's name is a word")
        self.table = table
    }

    struct Collection {
        var name: String
        var kind: String
        var type: String
    }

    static let collections = [
        Collection(name: "bridges", kind: "set", type: "type ifname;"),
        Collection(name: "inside", kind: "set", type: "type ifname;"),
        Collection(name: "same", kind: "set", type: "type ifname . ifname;"),
        Collection(name: "subnets4", kind: "set", type: "type ipv4_addr; flags interval;"),
        Collection(name: "subnets6", kind: "set", type: "type ipv6_addr; flags interval;"),
        Collection(name: "any4", kind: "map", type: "typeof meta l4proto . th dport : ip daddr . th dport;"),
        Collection(name: "any6", kind: "map", type: "typeof meta l4proto . th dport : ip6 daddr . th dport;"),
        Collection(name: "at4", kind: "map", type: "typeof ip daddr . meta l4proto . th dport : ip daddr . th dport;"),
        Collection(name: "at6", kind: "map", type: "typeof ip6 daddr . meta l4proto . th dport : ip6 daddr . th dport;"),
    ]

    /// The table as it is to be, in one transaction.
    package func whole(_ rules: Ruleset) -> String {
        // Deleting what is not there is an error, adding what is there is none: nft(8), TABLES.
        var text = "table inet \(table)\ndelete table inet \(table)\ntable inet \(table) {\n"
        let elements = rules.elements
        for collection in Self.collections {
            text += "  \(collection.kind) \(collection.name) { \(collection.type)"
            let members = elements[collection.name]!
            if !members.isEmpty { text += " elements = { \(Self.list(members)) };" }
            text += " }\n"
        }
        return text + Self.chains(refusingTransit: rules.refusesTransit) + "}\n"
    }

    /// What turns one ruleset into another, in one transaction; empty when they are the same.
    package func difference(from old: Ruleset, to new: Ruleset) -> String {
        // Not a matter of elements, and decided once in the life of a machine.
        if old.refusesTransit != new.refusesTransit { return whole(new) }
        let (before, after) = (old.elements, new.elements)
        var removals = ""
        var additions = ""
        for collection in Self.collections {
            let (had, has) = (before[collection.name]!, after[collection.name]!)
            let place = "element inet \(table) \(collection.name)"
            let gone = had.subtracting(has)
            let come = has.subtracting(had)
            if !gone.isEmpty { removals += "delete \(place) { \(Self.list(gone)) }\n" }
            if !come.isEmpty { additions += "add \(place) { \(Self.list(come)) }\n" }
        }
        return removals + additions
    }

    /// What leaves nothing behind, whether there is something or not.
    package var removal: String { "table inet \(table)\ndelete table inet \(table)\n" }

    private static func list(_ members: Set<String>) -> String { members.sorted().joined(separator: ", ") }

    /// Hooks and priorities: nft(8), CHAINS. `forward` decides, in this order: what belongs to a connection that
    /// was let through; what stays on one bridge; what an internal network must not see; what was published; what
    /// would cross networks; what comes from outside to a port that was not published.
    ///
    /// A bridge accepts 127.0.0.0/8 (route_localnet) so that the machine itself reaches published ports there. What
    /// containers send to or from such addresses is dropped before anything looks at it: of every packet, so the
    /// comparison stands before the search in a set.
    private static func chains(refusingTransit: Bool) -> String {
        """
          chain guard {
            type filter hook prerouting priority -300; policy accept;
            ip daddr 127.0.0.0/8 iifname @bridges drop
            ip saddr 127.0.0.0/8 iifname @bridges drop
          }
          chain arriving {
            type nat hook prerouting priority -100; policy accept;
            \(translation)
          }
          chain leaving {
            type nat hook output priority -100; policy accept;
            \(translation)
          }
          chain forwarded {
            type filter hook forward priority 0; policy accept;
            ct state established,related accept
            iifname . oifname @same accept
            iifname @inside drop
            oifname @inside drop
            ct status dnat accept
            iifname @bridges oifname @bridges drop
            oifname @bridges drop
            \(refusingTransit ? transit : "")
          }
          chain departing {
            type nat hook postrouting priority 100; policy accept;
            oifname @bridges ip saddr 127.0.0.0/8 masquerade
            oifname @bridges ct status dnat ip saddr @subnets4 masquerade
            oifname @bridges ct status dnat ip6 saddr @subnets6 masquerade
            oifname != @bridges ip saddr @subnets4 masquerade
            oifname != @bridges ip6 saddr @subnets6 masquerade
          }

        """
    }

    /// Whatever has a bridge (other containers, virtual machines) looks after its own.
    private static let transit = "iifname != @bridges oifname != @bridges meta iifkind != \"bridge\" meta oifkind != \"bridge\" drop"

    /// An address of its own comes before every address of the machine.
    private static let translation = """
        dnat ip to ip daddr . meta l4proto . th dport map @at4
            dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6
            fib daddr type local dnat ip to meta l4proto . th dport map @any4
            fib daddr type local dnat ip6 to meta l4proto . th dport map @any6
        """
}
