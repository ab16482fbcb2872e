/// What a transaction may do. Statements are compiled once for each connection and text, so texts should be few:
/// values go into arguments (?1, ?2 ...).
package protocol StoreTransaction {
    /// Runs one statement to its end.
    func execute(_ sql: String, _ arguments: [StoreValue]) throws(StoreFailure)
    /// All rows of one statement's answer.
    func query(_ sql: String, _ arguments: [StoreValue]) throws(StoreFailure) -> [StoreRow]
    /// Rows changed by the last statement.
    var changes: Int { get }
    /// The rowid of the row inserted last.
    var lastInsertID: Int64 { get }
}

extension StoreTransaction {
    package func execute(_ sql: String) throws(StoreFailure) { try execute(sql, []) }

    package func query(_ sql: String) throws(StoreFailure) -> [StoreRow] { try query(sql, []) }

    /// The first row of an answer.
    package func first(_ sql: String, _ arguments: [StoreValue] = []) throws(StoreFailure) -> StoreRow? {
        try query(sql, arguments).first
    }
}
