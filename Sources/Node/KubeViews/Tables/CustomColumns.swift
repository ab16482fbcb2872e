import JSON
import KubeSchema

/// The columns that a CustomResourceDefinition names (`additionalPrinterColumns`), behind the name of the object.
struct CustomColumns: Sendable {
    let columns: [Kind.Column]
    private let paths: [ColumnPath?]

    /// - Parameter columns: those with a path. One whose path cannot be read has empty cells: definitions with such a
    ///   path are refused, so that only ones from before this version can have it.
    init(_ columns: [Kind.Column]) {
        self.columns = columns
        paths = columns.map { column in column.path.flatMap { try? ColumnPath($0) } }
    }

    var printer: Printer {
        Printer(paths.compactMap { $0?.leadingNames }) { [columns, paths] subject in
            zip(columns, paths).map { column, path in
                guard let path else { return .null }
                return Self.cell(path.values(in: subject.json), column.type, subject)
            }
        }
    }

    /// Values that are not of the column's type are shown as nothing (`cellForJSONValue` of apiextensions-apiserver).
    private static func cell(_ values: [JSONValue], _ type: String, _ subject: TableSubject) -> JSONValue {
        guard let first = values.first, !first.isNull else { return .null }
        switch type {
        case "string": return .string(values.map(plain).joined(separator: " "))
        case "integer":
            if let number = first.integer { return .integer(number) }
            guard let number = first.double, abs(number) < 9e18 else { return .null }
            return .integer(Int64(number))
        case "number": return first.double == nil ? .null : first
        case "boolean": return first.bool == nil ? .null : first
        case "date":
            guard let text = first.string else { return .null }
            guard !text.isEmpty, TableSubject.seconds(first) != nil else { return "<invalid>" }
            return .string(subject.since(first))
        default: return .null
        }
    }

    private static func plain(_ value: JSONValue) -> String { value.string ?? JSONWriter.text(value) }
}
