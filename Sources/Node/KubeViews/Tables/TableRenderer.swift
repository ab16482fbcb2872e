package import JSON
package import KubeObjects
import KubeSchema
package import Linux

/// Objects as the rows that `kubectl get` shows (meta/v1.Table): the columns and the cells of Kubernetes for its own
/// kinds, those that its definition names for a custom resource, name and age otherwise.
///
/// Objects are given as the bytes of their JSON, out of which only what cells are made of is read: a list of thousands
/// is never a tree of values. The metadata of a row is copied byte for byte.
///
/// Invariants (tests in TableRendererTests):
/// 1. Each row has as many cells as there are columns. (`every kind has a cell for each column`)
/// 2. Any JSON gives a row, none traps. (`no object traps a printer`)
package struct TableRenderer: Sendable {
    private let columns: [Kind.Column]
    private let cells: @Sendable (TableSubject) -> [JSONValue]
    private let conditions: (@Sendable (TableSubject) -> JSONValue?)?
    private let projection: JSONProjection
    private let form: TableForm
    private let now: Int64

    /// - Parameter now: what ages are told from.
    package init(_ kind: ServedKind, _ form: TableForm = TableForm(), now: Linux.Timestamp) {
        self.form = form
        self.now = Int64(now.nanoseconds / 1_000_000_000)
        let kind = kind.kind
        let name = kind.id.group.isEmpty ? kind.id.kind : "\(kind.id.kind).\(kind.id.group)"
        let printer: Printer
        if kind.columns.contains(where: { $0.path != nil }) {
            let custom = CustomColumns(kind.columns)
            (columns, printer) = (custom.columns, custom.printer)
        } else if let builtIn = Printer.builtIn[name], !kind.columns.isEmpty {
            (columns, printer) = (kind.columns, builtIn)
        } else {
            (columns, printer) = (Self.plainColumns, .plain)
        }
        cells = printer.cells
        conditions = printer.conditions
        projection = JSONProjection(Printer.metadata + printer.paths)
    }

    private static let plainColumns = [
        Kind.Column(name: "Name", type: "string", format: "name", priority: 0, documentation: "Name of the object."),
        Kind.Column(name: "Created At", type: "date", format: "", priority: 0, documentation: "When it was made."),
    ]

    // MARK: Answers

    /// A list, in the order given.
    package func list(_ objects: some Sequence<[UInt8]>, _ head: ListHead) -> [UInt8] {
        var bytes = start
        bytes += head.bytes
        bytes += ",\"columnDefinitions\":".utf8
        bytes += definitions
        bytes += ",\"rows\":[".utf8
        var isFirst = true
        for object in objects {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(object, to: &bytes)
        }
        bytes += "]}".utf8
        return bytes
    }

    /// A single object.
    package func object(_ object: [UInt8]) -> [UInt8] { table(of: object, hasColumns: true) }

    /// An event of a watch. Only the first one of a watch has the columns.
    /// - Parameter type: "ADDED", "MODIFIED", "DELETED".
    package func event(_ type: String, _ object: [UInt8], isFirst: Bool) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + table(of: object, hasColumns: isFirst) + Array("}".utf8)
    }

    private func table(of object: [UInt8], hasColumns: Bool) -> [UInt8] {
        let version = try? JSONProjection(["metadata.resourceVersion"]).value(in: object).value
        var bytes = start
        bytes += ListHead(resourceVersion: version?["metadata", "resourceVersion"]?.string ?? "").bytes
        bytes += ",\"columnDefinitions\":".utf8
        if hasColumns { bytes += definitions } else { bytes += "null".utf8 }
        bytes += ",\"rows\":[".utf8
        append(object, to: &bytes)
        bytes += "]}".utf8
        return bytes
    }

    private var start: [UInt8] { Array("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/\(form.version)\",".utf8) }

    private var definitions: [UInt8] {
        JSONWriter.bytes(
            .array(
                columns.map { column in
                    [
                        "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
                        "description": .string(column.documentation), "priority": .integer(Int64(column.priority)),
                    ]
                }))
    }

    // MARK: Rows

    /// The cells of one object, for `kubectl`-like output of our own.
    package func row(_ object: JSONValue) -> [JSONValue] { cells(TableSubject(json: object, now: now)) }

    /// The columns' names.
    package var headers: [String] { columns.map(\.name) }

    private func append(_ object: [UInt8], to bytes: inout [UInt8]) {
        let read = try? projection.value(in: object, spanOf: "metadata")
        let subject = TableSubject(json: read?.value ?? .null, now: now)
        bytes += "{\"cells\":[".utf8
        for (index, cell) in cells(subject).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            Self.append(cell, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        if let conditions = conditions?(subject) {
            bytes += ",\"conditions\":".utf8
            bytes += JSONWriter.bytes(conditions)
        }
        switch form.objects {
        case .none: bytes += ",\"object\":null".utf8
        case .metadata:
            bytes += ",\"object\":".utf8
            bytes += PartialMetadata.object(object, span: read?.span, version: form.version)
        case .whole:
            bytes += ",\"object\":".utf8
            bytes += read == nil ? Array("null".utf8) : object
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Nearly all cells are short and need no escape.
    private static func append(_ cell: JSONValue, to bytes: inout [UInt8]) {
        if case .string(let text) = cell, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
            bytes.append(UInt8(ascii: "\""))
            bytes += text.utf8
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes += JSONWriter.bytes(cell)
        }
    }
}
