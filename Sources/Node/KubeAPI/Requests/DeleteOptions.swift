import JSON
import KubeObjects

/// metav1.DeleteOptions as a request says it: in its body, or else in its query.
struct DeleteOptions: Hashable, Sendable {
    var gracePeriodSeconds: Int64?
    var propagation: DeletionOptions.Propagation?
    /// The old form of `propagation`: whether dependents stay.
    var orphansDependents: Bool?
    var uid: String?
    var resourceVersion: String?
    var isDryRun = false

    init() {}

    init(_ options: DeletionOptions) {
        gracePeriodSeconds = options.gracePeriodSeconds
        propagation = options.propagation
        uid = options.uid
        resourceVersion = options.resourceVersion
    }

    init(query: [(name: String, value: String)]) throws(APIFailure) {
        let reader = QueryReader(query)
        gracePeriodSeconds = try reader.integer("gracePeriodSeconds")
        orphansDependents = reader.flag("orphanDependents")
        var problems = OptionsProblems("DeleteOptions")
        take(propagation: reader.text("propagationPolicy"), &problems)
        isDryRun = WriteOptions.dryRun(reader.texts("dryRun"), &problems)
        try problems.check()
    }

    /// - Parameter body: with or without a kind.
    init(body: JSONValue) throws(APIFailure) {
        guard body.object != nil else {
            throw .badRequest("the body of a deletion must be an object of DeleteOptions, not \(body.kindName)")
        }
        if let kind = body["kind"]?.string, !kind.isEmpty, kind != "DeleteOptions" {
            throw .badRequest(
                "\(kind) cannot be handled as a DeleteOptions: the kind in the data does not match the expected kind")
        }
        gracePeriodSeconds = try Self.field(body, "gracePeriodSeconds") { $0.integer }
        orphansDependents = try Self.field(body, "orphanDependents") { $0.bool }
        uid = try Self.field(body["preconditions"] ?? [:], "uid") { $0.string }
        resourceVersion = try Self.field(body["preconditions"] ?? [:], "resourceVersion") { $0.string }
        var problems = OptionsProblems("DeleteOptions")
        take(propagation: try Self.field(body, "propagationPolicy") { $0.string }, &problems)
        let dry = try Self.field(body, "dryRun") { $0.array } ?? []
        isDryRun = WriteOptions.dryRun(dry.map { $0.string ?? "" }, &problems)
        try problems.check()
    }

    private static func field<Field>(
        _ object: JSONValue, _ name: String, _ read: (JSONValue) -> Field?
    ) throws(APIFailure) -> Field? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let field = read(value) else {
            throw .badRequest(
                "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: \(name) cannot be \(value.kindName)"
            )
        }
        return field
    }

    private mutating func take(propagation text: String?, _ problems: inout OptionsProblems) {
        guard let text else { return }
        propagation = DeletionOptions.Propagation(rawValue: text)
        if propagation == nil {
            problems.notSupported("propagationPolicy", text, ["Background", "Foreground", "Orphan"])
        } else if orphansDependents != nil {
            problems.invalid(
                "propagationPolicy", .string(text), "orphanDependents and deletionPropagation cannot be both set")
        }
    }
}
