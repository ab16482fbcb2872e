internal import GRDB

/// What a transaction may do. Statements are compiled once for each connection.
package protocol StoreTransaction {
    func execute(_ sql: String, _ arguments: [StoreValue]) throws(StoreFailure)
    func query(_ sql: String, _ arguments: [StoreValue]) throws(StoreFailure) -> [StoreRow]
    /// Rows changed by the last statement.
    var changes: Int { get }
    /// The rowid of the row inserted last.
    var lastInsertID: Int64 { get }
}

/// A change of the database's shape, made once, in the order in which they are named.
package struct StoreMigration: Hashable, Sendable {
    /// "ledger-1"
    package var name: String
    package var sql: String

    package init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}
