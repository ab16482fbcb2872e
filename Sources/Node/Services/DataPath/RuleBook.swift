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
    var base = ""
    private(set) var parts: [String: RulePart] = [:]
    private var counts: [String: [String: Int]] = [:]

    init(table: String) { self.table = "inet \(table)" }

    /// What leaves nothing behind, whether there is something or not.
    var removal: String { "table \(table)\ndelete table \(table)\n" }

    /// The whole table, instead of whatever was in it.
    var whole: String {
        var text = removal + "table \(table) {\n" + base + "}\n"
        text += additions(sets: all(\.sets), chains: all(\.chains), elements: counts.mapValues { Set($0.keys) })
        return text
    }

    /// Replaces parts; empty ones go.
    ///
    /// - Returns: what changes the kernel's table accordingly; empty when nothing does.
    mutating func change(_ new: [String: RulePart]) -> String {
        var gone: [String: Set<String>] = [:]
        var come: [String: Set<String>] = [:]
        var (oldSets, newSets, oldChains, newChains): ([String: String], [String: String], [String: [String]], [String: [String]]) =
            ([:], [:], [:], [:])
        for (key, part) in new {
            let old = parts[key] ?? RulePart()
            guard old != part else { continue }
            oldSets.merge(old.sets) { $1 }
            newSets.merge(part.sets) { $1 }
            oldChains.merge(old.chains) { $1 }
            newChains.merge(part.chains) { $1 }
            for (collection, elements) in old.elements { release(elements, of: collection, &gone) }
            for (collection, elements) in part.elements { hold(elements, of: collection, &come) }
            parts[key] = part.isEmpty ? nil : part
        }
        // What one part lost and another got was never away.
        for (collection, elements) in gone {
            let both = elements.intersection(come[collection] ?? [])
            gone[collection]!.subtract(both)
            come[collection]?.subtract(both)
        }
        let lostSets = oldSets.keys.filter { newSets[$0] == nil }
        let lostChains = oldChains.keys.filter { newChains[$0] == nil }
        let changed = newChains.filter { oldChains[$0.key] != $0.value }
        var text = ""
        for (collection, elements) in gone.sorted(by: { $0.key < $1.key }) where !elements.isEmpty {
            text += "delete element \(table) \(collection) { \(Self.list(elements)) }\n"
        }
        for chain in lostChains.sorted() + changed.keys.filter({ oldChains[$0] != nil }).sorted() {
            text += "flush chain \(table) \(chain)\n"
        }
        for chain in lostChains.sorted() { text += "delete chain \(table) \(chain)\n" }
        for set in lostSets.sorted() { text += "delete set \(table) \(set)\n" }
        return text + additions(sets: newSets.filter { oldSets[$0.key] == nil }, chains: changed, elements: come)
    }

    private func additions(
        sets: [String: String], chains: [String: [String]], elements: [String: Set<String>]
    ) -> String {
        var text = ""
        for (name, declaration) in sets.sorted(by: { $0.key < $1.key }) {
            text += "add set \(table) \(name) { \(declaration) }\n"
        }
        let sorted = chains.sorted { $0.key < $1.key }
        for (name, _) in sorted { text += "add chain \(table) \(name)\n" }
        for (name, rules) in sorted {
            for rule in rules { text += "add rule \(table) \(name) \(rule)\n" }
        }
        for (collection, members) in elements.sorted(by: { $0.key < $1.key }) where !members.isEmpty {
            text += "add element \(table) \(collection) { \(Self.list(members)) }\n"
        }
        return text
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

    private static func list(_ members: Set<String>) -> String { members.sorted().joined(separator: ", ") }
}
