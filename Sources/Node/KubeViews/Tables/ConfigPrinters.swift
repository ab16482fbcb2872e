import JSON

/// Settings, identities and quotas.
enum ConfigPrinters {
    static let all: [String: Printer] = [
        "ConfigMap": configMap, "Secret": secret, "ServiceAccount": serviceAccount, "ResourceQuota": quota,
    ]

    private static func keys(_ subject: TableSubject, _ members: String...) -> JSONValue {
        .integer(Int64(members.reduce(0) { $0 + (subject.json[$1]?.object?.count ?? 0) }))
    }

    private static let configMap = Printer(["data", "binaryData"]) { subject in
        [subject.name, keys(subject, "data", "binaryData"), subject.age]
    }

    private static let secret = Printer(["type", "data"]) { subject in
        [subject.name, .string(subject.json.text("type")), keys(subject, "data"), subject.age]
    }

    private static let serviceAccount = Printer(["secrets.name"]) { subject in
        [subject.name, .integer(Int64(subject.json.list("secrets").count)), subject.age]
    }

    private static let quota = Printer(["status"]) { subject in
        var (requests, limits) = ([String](), [String]())
        let used = subject.status["used"]
        let hard = subject.status["hard"]?.object?.members ?? []
        for amount in hard.sorted(by: { $0.key < $1.key }) {
            let text = "\(amount.key): \(used?[amount.key]?.string ?? "0")/\(amount.value.string ?? "0")"
            if amount.key.hasPrefix("limits.") { limits.append(text) } else { requests.append(text) }
        }
        return [
            subject.name, .string(requests.joined(separator: ", ")), .string(limits.joined(separator: ", ")),
            subject.age,
        ]
    }
}
