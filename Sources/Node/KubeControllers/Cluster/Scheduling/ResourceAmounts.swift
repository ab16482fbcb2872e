package import JSON
internal import KubeSchema

/// Amounts by resource name, as the scheduler counts: CPU in thousandths, everything else in whole units (bytes, pieces),
/// both rounded up. Sums stay at the bounds of Int64.
package struct ResourceAmounts: Hashable, Sendable {
    package private(set) var byName: [String: Int64] = [:]

    package init() {}

    /// A `ResourceList`. What is no quantity counts as nothing: validation has let none in.
    package init(_ list: JSONValue?) {
        for member in list?.object?.members ?? [] {
            guard let text = member.value.string, let quantity = try? Quantity(text) else { continue }
            byName[member.key] = member.key == "cpu" ? quantity.milliValue : quantity.value
        }
    }

    package subscript(name: String) -> Int64 {
        get { byName[name] ?? 0 }
        set { byName[name] = newValue }
    }

    package static func += (a: inout ResourceAmounts, b: ResourceAmounts) {
        for (name, amount) in b.byName { a[name] = a[name].addingClamped(amount) }
    }

    package static func -= (a: inout ResourceAmounts, b: ResourceAmounts) {
        for (name, amount) in b.byName { a[name] = a[name].addingClamped(amount == .min ? .max : -amount) }
    }

    package static func + (a: ResourceAmounts, b: ResourceAmounts) -> ResourceAmounts {
        var sum = a
        sum += b
        return sum
    }

    /// The larger amount of each resource.
    package func maximum(_ other: ResourceAmounts) -> ResourceAmounts {
        var result = self
        for (name, amount) in other.byName { result[name] = max(result.byName[name] ?? amount, amount) }
        return result
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
