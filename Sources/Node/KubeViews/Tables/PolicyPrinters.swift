import JSON

/// Budgets, classes and leases.
enum PolicyPrinters {
    static let all: [String: Printer] = [
        "PodDisruptionBudget.policy": budget, "RuntimeClass.node.k8s.io": runtimeClass,
        "Lease.coordination.k8s.io": lease, "PriorityClass.scheduling.k8s.io": priorityClass,
    ]

    private static let budget = Printer(
        ["spec.minAvailable", "spec.maxUnavailable", "status.disruptionsAllowed"]
    ) { subject in
        func amount(_ name: String) -> JSONValue {
            switch subject.spec[name] {
            case .string(let text)?: .string(text)
            case .integer(let number)?: .string("\(number)")
            default: "N/A"
            }
        }
        return [
            subject.name, amount("minAvailable"), amount("maxUnavailable"), subject.status.count("disruptionsAllowed"),
            subject.age,
        ]
    }

    private static let runtimeClass = Printer(["handler"]) { subject in
        [subject.name, .string(subject.json.text("handler")), subject.age]
    }

    private static let lease = Printer(["spec.holderIdentity"]) { subject in
        [subject.name, .string(subject.spec.text("holderIdentity")), subject.age]
    }

    private static let priorityClass = Printer(["value", "globalDefault", "preemptionPolicy"]) { subject in
        [
            subject.name, subject.json.count("value"), .bool(subject.json["globalDefault"]?.bool ?? false), subject.age,
            .string(subject.json.text("preemptionPolicy")),
        ]
    }
}
