package import JSON

/// What was measured of one workload says about its size: what could be changed, what that saves, and what it risks.
package struct Advice: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable { case function, shift, container, deployment }

    package var kind: Kind
    /// As it is named on the command line: a function, a shift, a container, NAMESPACE/DEPLOYMENT/CONTAINER.
    package var workload: String
    /// How it is run now: process, container, standby, service, function.
    package var rung: String
    /// What it was seen by.
    package var seen: Seen
    package var changes: [Change] = []
    /// Sentences: what was looked at and left as it is, and why; why there is no advice.
    package var remarks: [String] = []

    package init(_ kind: Kind, _ workload: String, rung: String, seen: Seen) {
        self.kind = kind
        self.workload = workload
        self.rung = rung
        self.seen = seen
    }

    /// How much was seen of a workload.
    package struct Seen: Hashable, Sendable {
        /// Calls, comparisons, or looks at what it used.
        package var samples: Int
        /// "calls", "comparisons", "looks"
        package var unit: String
        /// From the first to the last, seconds.
        package var seconds: Double

        package init(samples: Int, unit: String, seconds: Double) {
            self.samples = samples
            self.unit = unit
            self.seconds = seconds
        }
    }

    package var json: JSONValue {
        var object = JSONObject()
        object["kind"] = .string(kind.rawValue)
        object["workload"] = .string(workload)
        object["rung"] = .string(rung)
        object["samples"] = .integer(Int64(seen.samples))
        object["unit"] = .string(seen.unit)
        object["seconds"] = .number(JSONNumber(seen.seconds))
        object["changes"] = .array(changes.map(\.json))
        object["remarks"] = .array(remarks.map { .string($0) })
        return .object(object)
    }
}

/// One change that is advised.
package struct Change: Hashable, Sendable {
    package enum Quantity: String, Hashable, Sendable { case memory, cpu, pool, rung }

    package var quantity: Quantity
    package var before: String
    package var after: String
    /// Of the price book's currency in 30 days at the rate that was measured; less than 0: it costs more. nil: nothing that has
    /// a price changes.
    package var saving: Double?
    package var risk: Risk
    /// A sentence.
    package var reason: String
    /// nil: somebody has to do it by hand; the reason says what.
    package var action: SizingAction?

    package var json: JSONValue {
        var object = JSONObject()
        object["quantity"] = .string(quantity.rawValue)
        object["before"] = .string(before)
        object["after"] = .string(after)
        object["savingPer30Days"] = saving.map { .number(JSONNumber($0)) }
        object["risk"] = risk.json
        object["reason"] = .string(reason)
        object["isAppliable"] = .bool(action != nil)
        return .object(object)
    }
}

/// How often it would have gone wrong, of what was seen, and how often it may at most.
package struct Risk: Hashable, Sendable {
    /// What is counted: "calls that would have exceeded it".
    package var event: String
    package var count: Int
    package var of: Int

    package init(_ event: String, _ count: Int, of total: Int) {
        self.event = event
        self.count = count
        self.of = total
    }

    package var share: Double { of == 0 ? 0 : Double(count) / Double(of) }
    /// With 95 % confidence the true share is not above this, if what comes is like what was seen.
    package var bound: Double { ShareBound.upper95(count, of: of) }

    package var json: JSONValue {
        [
            "event": .string(event), "count": .integer(Int64(count)), "of": .integer(Int64(of)), "share": .number(JSONNumber(share)),
            "upperBound95": .number(JSONNumber(bound)),
        ]
    }
}

/// What is done to apply a change, through the public APIs.
package enum SizingAction: Hashable, Sendable {
    /// UpdateFunctionConfiguration.
    case functionMemory(function: String, megabytes: Int)
    /// PutProvisionedConcurrencyConfig; 0: DeleteProvisionedConcurrencyConfig.
    case provisioned(function: String, qualifier: String, count: Int)
    /// `containers.update`; nil stays.
    case container(id: String, memoryBytes: Int?, milliCPUs: Int?)
    /// A strategic merge patch of a deployment's template; nil stays. Quantities as Kubernetes writes them.
    case deployment(namespace: String, name: String, container: String, memory: String?, cpu: String?)
    /// The shift goes on in another mode: `measure`, `shadow`, `canary` with a percentage, `full`.
    case shift(id: String, mode: String, percent: Int?)
}

/// What has to be seen before advice is given.
package struct SizingRules: Hashable, Sendable {
    /// Calls or comparisons.
    package var minimumCalls = 100
    /// For how long a container must have run.
    package var minimumSeconds = 3600.0
    /// What is left free above the highest peak, of 100.
    package var headroomPercent = 25
    /// Of the calls, those that may find no instance ready; and by how much the slowest may get slower.
    package var coldShare = 0.01
    package var slowerShare = 0.10

    package init() {}
}
