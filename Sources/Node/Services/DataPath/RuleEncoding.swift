import Linux

extension RuleDifference {
    /// The same change without a program in between.
    ///
    /// - Returns: nil when something of it is only known to nft: new sets, intervals, clients that keep their endpoint,
    ///   and the conditions of policies.
    var batch: PacketRuleBatch? {
        guard sets.isEmpty, table.hasPrefix("inet ") else { return nil }
        var batch = PacketRuleBatch(table: String(table.dropFirst("inet ".count)))
        for (collection, elements) in gone.sorted(by: { $0.key < $1.key }) where !elements.isEmpty {
            guard let elements = Self.encode(elements, declarations[collection]) else { return nil }
            batch.remove(elements, from: collection)
        }
        for chain in flushed { batch.flushChain(chain) }
        for chain in lostChains { batch.removeChain(chain) }
        for set in lostSets { batch.removeSet(set) }
        let sorted = chains.sorted { $0.key < $1.key }
        for (name, _) in sorted { batch.addChain(name) }
        for (name, rules) in sorted {
            for rule in rules {
                guard let line = RuleLine(rule) else { return nil }
                line.add(to: name, of: &batch)
            }
        }
        for (collection, elements) in come.sorted(by: { $0.key < $1.key }) where !elements.isEmpty {
            guard let elements = Self.encode(elements, declarations[collection]) else { return nil }
            batch.add(elements, to: collection)
        }
        return batch
    }

    private static func encode(_ elements: Set<String>, _ declaration: String?) -> [PacketRuleBatch.Element]? {
        guard let type = declaration.flatMap(ElementType.init) else { return nil }
        var encoded: [PacketRuleBatch.Element] = []
        for element in elements.sorted() {
            guard let element = type.element(element) else { return nil }
            encoded.append(element)
        }
        return encoded
    }
}
