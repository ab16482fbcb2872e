import JSON
import KubeObjects
import KubeSchema

/// metav1.CreateOptions, UpdateOptions and PatchOptions.
struct WriteOptions: Hashable, Sendable {
    /// Everything is done but storing.
    var isDryRun = false
    /// As the client says it; empty when it does not.
    var fieldManager = ""
    var fieldValidation = FieldValidation.warn
    /// Of server-side apply: takes fields from others.
    var forces = false

    init() {}

    enum Kind: String, Sendable {
        case create = "CreateOptions"
        case update = "UpdateOptions"
        case patch = "PatchOptions"
        case apply = "ApplyOptions"

        var name: String { self == .apply ? "PatchOptions" : rawValue }
    }

    init(_ query: [(name: String, value: String)], _ kind: Kind, userAgent: String?) throws(APIFailure) {
        let reader = QueryReader(query)
        var problems = OptionsProblems(kind.name)
        let force = reader.flag("force")
        fieldManager = reader.text("fieldManager") ?? ""
        if kind == .apply, fieldManager.isEmpty { problems.required("fieldManager", "is required for apply patch") }
        if kind == .patch, force != nil { problems.forbidden("force", "may not be specified for non-apply patch") }
        forces = force ?? false
        checkManager(&problems)
        isDryRun = Self.dryRun(reader.texts("dryRun"), &problems)
        let validation = reader.text("fieldValidation") ?? ""
        if let known = FieldValidation(rawValue: validation) {
            fieldValidation = known
        } else if !validation.isEmpty {
            problems.notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])
        }
        try problems.check()
        if fieldManager.isEmpty { fieldManager = Self.manager(ofAgent: userAgent) }
    }

    private func checkManager(_ problems: inout OptionsProblems) {
        if fieldManager.utf8.count > 128 { problems.tooLong("fieldManager", limit: 128) }
        for (index, scalar) in fieldManager.unicodeScalars.enumerated() where !Self.isPrintable(scalar) {
            problems.invalid(
                "fieldManager", .string(fieldManager),
                "invalid character \(String(scalar).goQuoted) (at position \(index))")
            break
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// Whether "All" stages are dry; nothing else can be asked for.
    static func dryRun(_ values: [String], _ problems: inout OptionsProblems) -> Bool {
        for value in values where value != "All" { problems.notSupported("dryRun", value, ["All"]) }
        return values.contains("All")
    }

    /// Who writes when a client does not say it: the first word of its User-Agent (`prefixFromUserAgent`).
    static func manager(ofAgent agent: String?) -> String {
        let word = (agent ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let clean = String(String.UnicodeScalarView(word.unicodeScalars.filter(isPrintable)))
        return clean.isEmpty ? "unknown" : String(clean.prefix(128))
    }
}
