import Linux

extension RulesetText {
    /// What `difference` says, without a program in between.
    ///
    /// - Returns: nil unless only published ports differ.
    func batch(from old: Ruleset, to new: Ruleset) -> PacketRuleBatch? {
        guard old.bridges == new.bridges, old.refusesTransit == new.refusesTransit else { return nil }
        var batch = PacketRuleBatch(table: table)
        let (before, after) = (Self.elements(old.ports), Self.elements(new.ports))
        let names = Set(before.keys).union(after.keys).sorted()
        func lost(
            _ a: [String: Set<PacketRuleBatch.Element>], _ b: [String: Set<PacketRuleBatch.Element>], _ name: String
        )
            -> [PacketRuleBatch.Element]
        { (a[name] ?? []).subtracting(b[name] ?? []).sorted { $0.key.lexicographicallyPrecedes($1.key) } }
        for name in names { batch.remove(lost(before, after, name), from: name) }
        for name in names { batch.add(lost(after, before, name), to: name) }
        return batch
    }

    /// As `Ruleset.elements` has them, in the kernel's form.
    private static func elements(_ ports: [Ruleset.Port]) -> [String: Set<PacketRuleBatch.Element>] {
        var elements: [String: Set<PacketRuleBatch.Element>] = [:]
        for port in ports {
            let published = port.published
            let transport: [UInt8] = [published.transport == .tcp ? 6 : 17, 0, 0, 0]
            let key = transport + PacketRuleBatch.padded(published.hostPort)
            let value = PacketRuleBatch.Element.Value.bytes(
                port.target.bytes + PacketRuleBatch.padded(published.containerPort))
            let address = published.hostAddress
            let (collection, whole) = address.isUnspecified ? ("any", key) : ("at", address.bytes + key)
            elements[collection + (address.isIPv6 ? "6" : "4"), default: []].insert(.init(key: whole, value: value))
        }
        return elements
    }
}
