import JSON
import KubeSchema

/// Amounts of resources by name (core/v1.ResourceList).
struct Amounts: Sendable {
    private(set) var all: [String: Quantity] = [:]

    init() {}

    /// What is no quantity is left out: validation has refused it.
    init(_ json: JSONValue?) {
        for member in json?.object?.members ?? [] {
            all[member.key] = member.value.string.flatMap { try? Quantity($0) }
        }
    }

    subscript(name: String) -> Quantity? {
        get { all[name] }
        set { all[name] = newValue }
    }

    var sorted: [(key: String, value: Quantity)] { all.sorted { $0.key < $1.key } }
    var isEmpty: Bool { all.isEmpty }

    mutating func add(_ other: Amounts) {
        for (name, amount) in other.all { all[name] = (all[name] ?? .zero) + amount }
    }

    /// The greater one of each.
    mutating func raise(to other: Amounts) {
        for (name, amount) in other.all { all[name] = max(all[name] ?? .zero, amount) }
    }

    /// Leaves what is more than in others, and how much more.
    mutating func keepIncrease(over other: Amounts) {
        for (name, amount) in all {
            let more = amount - (other.all[name] ?? .zero)
            all[name] = more.isZero || more.isNegative ? nil : more
        }
    }

    var json: JSONValue {
        var json: JSONValue = [:]
        for (name, amount) in sorted { json[name] = .string("\(amount)") }
        return json
    }
}

/// What a pod needs as a whole: its containers run at once, init containers one after the other, those that go on running
/// beside what comes later (`resource.PodRequests` of component-helpers).
enum PodAmounts {
    /// - Parameter field: "requests" or "limits".
    static func of(_ spec: JSONValue, _ field: String) -> Amounts {
        var sum = Amounts()
        for container in spec["containers"]?.array ?? [] { sum.add(Amounts(container["resources", field])) }
        var (sidecars, most) = (Amounts(), Amounts())
        for container in spec["initContainers"]?.array ?? [] {
            let own = Amounts(container["resources", field])
            if container["restartPolicy"] == "Always" {
                sum.add(own)
                sidecars.add(own)
                most.raise(to: sidecars)
            } else {
                var then = own
                then.add(sidecars)
                most.raise(to: then)
            }
        }
        sum.raise(to: most)
        // Said for the pod as a whole, it counts in place of the sum.
        for (name, amount) in Amounts(spec["resources", field]).all { sum[name] = amount }
        let overhead = Amounts(spec["overhead"])
        if field == "requests" {
            sum.add(overhead)
        } else {
            for (name, one) in overhead.all where sum[name] != nil { sum[name] = sum[name]! + one }
        }
        return sum
    }
}
