internal import JSON
internal import Lambda
package import Store

/// The catalogue in the node's database: one row for each function, version, layer, version of a layer and mapping, its
/// content as JSON.
///
/// Invariants
/// 1. The changes of one request are one transaction. (test: `a write that fails leaves everything as it was`)
package enum CatalogTables {
    package static let migrations = [
        StoreMigration(
            "catalog-1",
            """
            CREATE TABLE catalog (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                number INTEGER NOT NULL,
                content TEXT NOT NULL,
                PRIMARY KEY (kind, name, number)
            ) WITHOUT ROWID;
            """)
    ]

    private enum Kind: String {
        case function, version, layer, layerVersion, mapping
    }

    static func write(_ changes: [CatalogChange], _ transaction: any StoreTransaction) throws(StoreFailure) {
        for change in changes {
            switch change {
            case .function(let record): try put(.function, record.name, 0, record.stored, transaction)
            case .functionRemoved(let name):
                try remove(.function, name, 0, transaction)
                try transaction.execute("DELETE FROM catalog WHERE kind = ?1 AND name = ?2", ["version", .text(name)])
            case .version(let name, let version):
                try put(.version, name, Int(version.version) ?? 0, version.stored, transaction)
            case .versionRemoved(let name, let version): try remove(.version, name, version, transaction)
            case .layer(let record): try put(.layer, record.name, 0, ["next": record.nextVersion.json], transaction)
            case .layerVersion(let record): try put(.layerVersion, record.layer, record.version, record.stored, transaction)
            case .layerVersionRemoved(let name, let version): try remove(.layerVersion, name, version, transaction)
            case .mapping(let record): try put(.mapping, record.mapping.id, 0, record.stored, transaction)
            case .mappingRemoved(let id): try remove(.mapping, id, 0, transaction)
            }
        }
    }

    private static func put(
        _ kind: Kind, _ name: String, _ number: Int, _ content: JSONObject, _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        try transaction.execute(
            "INSERT OR REPLACE INTO catalog (kind, name, number, content) VALUES (?1, ?2, ?3, ?4)",
            [.text(kind.rawValue), .text(name), StoreValue(number), .text(JSONWriter.text(.object(content)))])
    }

    private static func remove(
        _ kind: Kind, _ name: String, _ number: Int, _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        try transaction.execute(
            "DELETE FROM catalog WHERE kind = ?1 AND name = ?2 AND number = ?3",
            [.text(kind.rawValue), .text(name), StoreValue(number)])
    }

    /// All that is declared, as the changes that declared it.
    static func read(_ transaction: any StoreTransaction, _ account: LambdaAccount) throws(StoreFailure) -> [CatalogChange] {
        var changes: [CatalogChange] = []
        for row in try transaction.query("SELECT kind, name, number, content FROM catalog ORDER BY kind, name, number") {
            guard let kind = row.text(0).flatMap(Kind.init), let name = row.text(1), let number = row.integer(2),
                let content = row.text(3)
            else { throw StoreFailure(.damaged, "read the catalogue of functions: a row is of no kind that is known.") }
            do {
                var reader = try JSONObjectReader(try JSONParser.parse(content))
                changes.append(try change(kind, name, number, &reader, account))
            } catch {
                throw StoreFailure(.damaged, "read the \(kind) \(name) (\(number)) in the catalogue of functions: \(error).")
            }
        }
        return changes
    }

    private static func change(
        _ kind: Kind, _ name: String, _ number: Int, _ reader: inout JSONObjectReader, _ account: LambdaAccount
    ) throws(JSONShapeError) -> CatalogChange {
        switch kind {
        case .function: .function(try FunctionRecord(name: name, &reader))
        case .version: .version(function: name, try VersionRecord(&reader))
        case .layer: .layer(LayerRecord(name: name, nextVersion: try reader.required("next")))
        case .layerVersion: .layerVersion(try LayerVersionRecord(&reader))
        case .mapping: .mapping(try MappingRecord(&reader, account))
        }
    }
}
