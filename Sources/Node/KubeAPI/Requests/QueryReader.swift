import KubeObjects
import KubeSchema

/// Reads parameters of a query as Kubernetes' own conversions do (`apimachinery/pkg/runtime/conversion.go`): parameters
/// that nobody asks for are passed over, as there; those of a wrong form are answered with 400.
struct QueryReader {
    private let query: [(name: String, value: String)]

    init(_ query: [(name: String, value: String)]) { self.query = query }

    func text(_ name: String) -> String? { query.first { $0.name == name }?.value }
    func texts(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

    /// A boolean: everything but "false" and "0" is true.
    static func flag(_ text: String) -> Bool { !["false", "0"].contains(text.lowercased()) }

    func flag(_ name: String) -> Bool? { text(name).map(Self.flag) }

    func integer(_ name: String) throws(APIFailure) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let number = Int64(text) else {
            let isNumber =
                !text.isEmpty && text.drop { $0 == "-" || $0 == "+" }.utf8.allSatisfy { (48...57).contains($0) }
            let why = isNumber && text.utf8.count > 1 ? "value out of range" : "invalid syntax"
            throw .badRequest("strconv.ParseInt: parsing \(text.goQuoted): \(why)")
        }
        return number
    }
}

extension String {
    /// In quotation marks with escapes, as Go's %q writes it.
    var goQuoted: String { quoted(self) }
}
