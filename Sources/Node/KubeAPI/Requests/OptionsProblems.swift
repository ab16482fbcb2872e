import JSON
import KubeObjects
import KubeSchema

/// Collects what is wrong with the options of a request: they are objects of meta.k8s.io, and refused like others.
struct OptionsProblems {
    private let kind: String
    private(set) var causes: [Cause] = []

    init(_ kind: String) { self.kind = kind }

    mutating func forbidden(_ field: String, _ detail: String) { add(.forbidden, field, .null, detail) }
    mutating func required(_ field: String, _ detail: String) { add(.required, field, .null, detail) }
    mutating func invalid(_ field: String, _ value: JSONValue, _ detail: String) { add(.invalid, field, value, detail) }
    mutating func notSupported(_ field: String, _ value: String, _ supported: [String]) {
        add(
            .notSupported, field, .string(value),
            "supported values: " + supported.map(\.goQuoted).joined(separator: ", "))
    }
    mutating func tooLong(_ field: String, limit: Int) {
        add(.tooLong, field, .null, "may not be more than \(limit) bytes")
    }

    private mutating func add(_ reason: Cause.Reason, _ field: String, _ value: JSONValue, _ detail: String) {
        causes.append(Cause(reason: reason, path: FieldPath.root.child(field), value: value, detail: detail))
    }

    func check() throws(APIFailure) {
        guard !causes.isEmpty else { return }
        let kind = GroupVersionKind(group: "meta.k8s.io", version: "v1", kind: kind)
        throw .invalid(InvalidObject(kind: kind, name: "", causes: causes))
    }
}
