import JSON

/// Bindings of roles. Roles themselves have no printer of their own.
enum AccessPrinters {
    static let all: [String: Printer] = [
        "RoleBinding.rbac.authorization.k8s.io": binding, "ClusterRoleBinding.rbac.authorization.k8s.io": binding,
    ]

    private static let binding = Printer(["roleRef", "subjects"]) { subject in
        let role = subject.json["roleRef"] ?? .null
        func names(_ kind: String) -> JSONValue {
            let all = subject.json.list("subjects").filter { $0["kind"]?.string == kind }.map { one in
                let namespace = one.text("namespace")
                return kind == "ServiceAccount" ? "\(namespace)/\(one.text("name"))" : one.text("name")
            }
            return .string(all.joined(separator: ", "))
        }
        return [
            subject.name, .string("\(role.text("kind"))/\(role.text("name"))"), subject.age, names("User"),
            names("Group"),
            names("ServiceAccount"),
        ]
    }
}
