import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// metav1.ListOptions: which objects are listed or watched, and from which moment.
struct ListOptions: Sendable {
    enum VersionMatch: String, Sendable {
        case exact = "Exact"
        case notOlderThan = "NotOlderThan"
    }

    var labels = LabelSelector.everything
    /// nil for all.
    var fields: FieldSelector?
    var limit: Int?
    var continueText: String?
    /// nil when it is not said.
    var resourceVersion: Int64?
    var match: VersionMatch?
    var isWatch = false
    var allowsBookmarks = false
    var sendsInitialEvents: Bool?
    var timeout: Duration?

    init() {}

    /// - Parameter isWatch: also for the old form of the path, which has no parameter.
    init(_ query: [(name: String, value: String)], _ served: ServedKind, isWatch: Bool) throws(APIFailure) {
        let reader = QueryReader(query)
        self.isWatch = isWatch
        allowsBookmarks = reader.flag("allowWatchBookmarks") ?? false
        sendsInitialEvents = reader.flag("sendInitialEvents")
        if let seconds = try reader.integer("timeoutSeconds"), seconds > 0 {
            timeout = .seconds(min(seconds, 1_000_000_000))
        }
        if let number = try reader.integer("limit"), number > 0 { limit = Int(min(number, 1_000_000_000)) }
        if let text = reader.text("continue"), !text.isEmpty { continueText = text }
        do throws(SelectorError) {
            if let text = reader.text("labelSelector") { labels = try LabelSelector(text) }
            if let text = reader.text("fieldSelector"), !text.isEmpty {
                let selector = try FieldSelector(text, for: served.kind, besides: served.custom?.selectableFields)
                fields = selector.terms.isEmpty ? nil : selector
            }
        } catch { throw .badRequest(error.description) }
        let version = reader.text("resourceVersion") ?? ""
        let matchText = reader.text("resourceVersionMatch") ?? ""
        try Self.check(matchText, version, hasContinue: continueText != nil, isWatch: isWatch, sendsInitialEvents)
        match = VersionMatch(rawValue: matchText)
        resourceVersion = try Self.revision(version, served.resource)
        if continueText != nil, let resourceVersion, resourceVersion != 0 {
            throw .badRequest("specifying resource version is not allowed when using continue")
        }
    }

    /// `ValidateListOptions` of apimachinery.
    private static func check(
        _ match: String, _ version: String, hasContinue: Bool, isWatch: Bool, _ sendsInitialEvents: Bool?
    ) throws(APIFailure) {
        var problems = OptionsProblems("ListOptions")
        if isWatch, sendsInitialEvents != nil, match != "NotOlderThan" {
            problems.forbidden(
                "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        if !match.isEmpty {
            if isWatch, sendsInitialEvents == nil {
                problems.forbidden(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
            }
            if !isWatch, version.isEmpty {
                problems.forbidden(
                    "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
            }
            if hasContinue {
                problems.forbidden(
                    "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
            }
            let supported = isWatch ? ["NotOlderThan"] : ["Exact", "NotOlderThan", ""]
            if !supported.contains(match) { problems.notSupported("resourceVersionMatch", match, supported) }
            if !isWatch, match == "Exact", version == "0" {
                problems.forbidden(
                    "resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
            }
        }
        if !isWatch, sendsInitialEvents != nil {
            problems.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
        }
        try problems.check()
    }

    static func revision(_ text: String, _ resource: Resource) throws(APIFailure) -> Int64? {
        guard !text.isEmpty else { return nil }
        if let number = Int64(text), number >= 0, !text.hasPrefix("+") { return number }
        let isNumber = text.utf8.allSatisfy { (48...57).contains($0) }
        let why = "strconv.ParseUint: parsing \(text.goQuoted): \(isNumber ? "value out of range" : "invalid syntax")"
        let cause = Cause(
            reason: .invalid, path: FieldPath.root.child("resourceVersion"), value: .string(text), detail: why)
        throw .invalid(
            InvalidObject(
                kind: GroupVersionKind(group: resource.group, version: resource.version, kind: resource.plural),
                name: "",
                causes: [cause]))
    }

    /// Whether every object of the scope is meant.
    var selectsAll: Bool { fields == nil && !labels.isNothing && labels.requirements.isEmpty }

    /// Whether an object is meant. What its key says is asked first: that needs no parsing.
    func matches(_ object: StoredObject, _ call: Call) -> Bool {
        if let fields {
            for term in fields.terms {
                let value: String
                switch term.field {
                case "metadata.name": value = object.key.name
                case "metadata.namespace": value = object.key.namespace ?? ""
                default: continue
                }
                if (value == term.value) == term.isNegated { return false }
            }
            if fields.terms.contains(where: { !Self.ofKey.contains($0.field) }),
                !fields.matches(StoredForm.shown(object.value, call))
            {
                return false
            }
        }
        if labels.isNothing { return false }
        return labels.requirements.isEmpty || labels.matches(object.value["metadata", "labels"])
    }

    private static let ofKey: Set<String> = ["metadata.name", "metadata.namespace"]

    /// The one name that can match, which rules of access may name.
    var onlyName: String? { fields?.terms.first { $0.field == "metadata.name" && !$0.isNegated }?.value }
}
