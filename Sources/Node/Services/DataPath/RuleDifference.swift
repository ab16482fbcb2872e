/// What turns our table from what it was into what it is to be, as one transaction. Pure.
struct RuleDifference: Hashable, Sendable {
    /// "inet NAME"
    let table: String
    /// Elements that go and come, by their set or map.
    var gone: [String: Set<String>] = [:]
    var come: [String: Set<String>] = [:]
    /// Chains whose rules go, among them those that go themselves.
    var flushed: [String] = []
    var lostChains: [String] = []
    var lostSets: [String] = []
    /// New sets and their declarations.
    var sets: [String: String] = [:]
    /// New chains and those with other rules than before.
    var chains: [String: [String]] = [:]
    /// Of the sets and maps that were and are there, what stands between their braces.
    var declarations: [String: String] = [:]

    init(table: String) { self.table = table }

    var isEmpty: Bool {
        flushed.isEmpty && sets.isEmpty && chains.isEmpty && lostSets.isEmpty && gone.values.allSatisfy(\.isEmpty)
            && come.values.allSatisfy(\.isEmpty)
    }

    /// In the language of nft(8).
    var text: String {
        var text = ""
        for (collection, elements) in gone.sorted(by: { $0.key < $1.key }) where !elements.isEmpty {
            text += "delete element \(table) \(collection) { \(Self.list(elements)) }\n"
        }
        for chain in flushed { text += "flush chain \(table) \(chain)\n" }
        for chain in lostChains { text += "delete chain \(table) \(chain)\n" }
        for set in lostSets { text += "delete set \(table) \(set)\n" }
        for (name, declaration) in sets.sorted(by: { $0.key < $1.key }) {
            text += "add set \(table) \(name) { \(declaration) }\n"
        }
        let sorted = chains.sorted { $0.key < $1.key }
        for (name, _) in sorted { text += "add chain \(table) \(name)\n" }
        for (name, rules) in sorted {
            for rule in rules { text += "add rule \(table) \(name) \(rule)\n" }
        }
        for (collection, elements) in come.sorted(by: { $0.key < $1.key }) where !elements.isEmpty {
            text += "add element \(table) \(collection) { \(Self.list(elements)) }\n"
        }
        return text
    }

    private static func list(_ members: Set<String>) -> String { members.sorted().joined(separator: ", ") }
}
