/// What one service or policy adds to our table.
struct RulePart: Hashable, Sendable {
    /// Sets of its own that packets change: their names and declarations.
    var sets: [String: String] = [:]
    /// Chains of its own and their rules.
    var chains: [String: [String]] = [:]
    /// Elements of the table's own sets and maps, which parts may share.
    var elements: [String: Set<String>] = [:]

    var isEmpty: Bool { sets.isEmpty && chains.isEmpty && elements.values.allSatisfy(\.isEmpty) }

    mutating func add(_ element: String, to collection: String) { elements[collection, default: []].insert(element) }

    mutating func merge(_ other: RulePart) {
        sets.merge(other.sets) { old, _ in old }
        chains.merge(other.chains) { old, _ in old }
        elements.merge(other.elements) { $0.union($1) }
    }
}

/// Our table as it is to be, made of parts, and how it differs from what it was. Pure; texts are in the language of nft(8).
///
/// Invariants
/// 1. Applying differences leads to the same rules as applying the whole.
///    (test: `differences lead to the same rules as the whole`)
/// 2. An element that two parts share stays until both have gone.
///    (test: `an element that two services share goes with the last of them`)
/// 3. What refers to a chain goes before the chain, and comes after it, all in one transaction: no packet meets half a
///    change. (test: `differences lead to the same rules as the whole`, which asks the kernel)
struct RuleBook: Sendable {
    /// "inet NAME"
    let table: String
    /// Declarations of the sets, maps and chains that are always there.
    var base = "" { didSet { declarations = ElementType.declarations(in: base) } }
    private(set) var parts: [String: RulePart] = [:]
    /// Of every set and map there is, what stands between its braces.
    private(set) var declarations: [String: String] = [:]
    private var counts: [String: [String: Int]] = [:]

    init(table: String) { self.table = "inet \(table)" }

    /// What leaves nothing behind, whether there is something or not.
    var removal: String { "table \(table)\ndelete table \(table)\n" }

    /// The whole table, instead of whatever was in it.
    var whole: String {
        let text = removal + "table \(table) {\n" + base + "}\n"
        var all = RuleDifference(table: table)
        all.sets = self.all(\.sets)
        all.chains = self.all(\.chains)
        all.come = counts.mapValues { Set($0.keys) }
        return text + all.text
    }

    /// Replaces parts; empty ones go.
    ///
    /// - Returns: what changes the kernel's table accordingly.
    mutating func change(_ new: [String: RulePart]) -> RuleDifference {
        var difference = RuleDifference(table: table)
        var (oldSets, newSets, oldChains, newChains): ([String: String], [String: String], [String: [String]], [String: [String]]) =
            ([:], [:], [:], [:])
        for (key, part) in new {
            let old = parts[key] ?? RulePart()
            guard old != part else { continue }
            oldSets.merge(old.sets) { $1 }
            newSets.merge(part.sets) { $1 }
            oldChains.merge(old.chains) { $1 }
            newChains.merge(part.chains) { $1 }
            for (collection, elements) in old.elements { release(elements, of: collection, &difference.gone) }
            for (collection, elements) in part.elements { hold(elements, of: collection, &difference.come) }
            parts[key] = part.isEmpty ? nil : part
        }
        // What one part lost and another got was never away.
        for (collection, elements) in difference.gone {
            let both = elements.intersection(difference.come[collection] ?? [])
            difference.gone[collection]!.subtract(both)
            difference.come[collection]?.subtract(both)
        }
        difference.lostSets = oldSets.keys.filter { newSets[$0] == nil }.sorted()
        difference.lostChains = oldChains.keys.filter { newChains[$0] == nil }.sorted()
        difference.chains = newChains.filter { oldChains[$0.key] != $0.value }
        difference.flushed = difference.lostChains + difference.chains.keys.filter { oldChains[$0] != nil }.sorted()
        difference.sets = newSets.filter { oldSets[$0.key] == nil }
        declarations.merge(difference.sets) { $1 }
        difference.declarations = declarations
        for set in difference.lostSets { declarations[set] = nil }
        return difference
    }

    private func all<Value>(_ path: KeyPath<RulePart, [String: Value]>) -> [String: Value] {
        parts.values.reduce(into: [:]) { $0.merge($1[keyPath: path]) { old, _ in old } }
    }

    private mutating func release(_ elements: Set<String>, of collection: String, _ gone: inout [String: Set<String>]) {
        for element in elements {
            let left = counts[collection]![element]! - 1
            counts[collection]![element] = left == 0 ? nil : left
            if left == 0 { gone[collection, default: []].insert(element) }
        }
    }

    private mutating func hold(_ elements: Set<String>, of collection: String, _ come: inout [String: Set<String>]) {
        for element in elements {
            let count = counts[collection, default: [:]][element] ?? 0
            counts[collection, default: [:]][element] = count + 1
            if count == 0 { come[collection, default: []].insert(element) }
        }
    }
}
