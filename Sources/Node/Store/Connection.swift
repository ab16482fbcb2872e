internal import GRDB
internal import GRDBSQLite

/// A connection within a transaction.
///
/// GRDB compiles and keeps the statements; they are bound and stepped here with SQLite's own calls, because the ledger
/// writes thousands of rows a second and needs neither observation nor conversion.
struct Connection: StoreTransaction {
    let database: Database
    let path: String

    func execute(_ sql: String, _ arguments: [StoreValue]) throws(StoreFailure) {
        try run(sql, arguments) { _ in }
    }

    func query(_ sql: String, _ arguments: [StoreValue]) throws(StoreFailure) -> [StoreRow] {
        var rows: [StoreRow] = []
        try run(sql, arguments) { rows.append(Self.row($0)) }
        return rows
    }

    var changes: Int { Int(sqlite3_changes64(database.sqliteConnection)) }

    var lastInsertID: Int64 { sqlite3_last_insert_rowid(database.sqliteConnection) }

    /// Whether a transaction is open. A grave error (a full disk, say) may have ended it: sqlite.org/lang_transaction.html.
    var isInTransaction: Bool { sqlite3_get_autocommit(database.sqliteConnection) == 0 }

    private func run(
        _ sql: String, _ arguments: [StoreValue], _ onRow: (OpaquePointer) -> Void
    ) throws(StoreFailure) {
        let statement: OpaquePointer
        do { statement = try database.cachedStatement(sql: sql).sqliteStatement } catch {
            throw StoreFailure(error, "prepare \"\(sql)\" in \(path)")
        }
        precondition(
            Int(sqlite3_bind_parameter_count(statement)) == arguments.count,
            "\"\(sql)\" wants \(sqlite3_bind_parameter_count(statement)) arguments, not \(arguments.count)")
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in arguments.enumerated() {
            guard Self.bind(value, to: statement, at: CInt(index + 1)) == SQLITE_OK else { throw failure(sql) }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: onRow(statement)
            case SQLITE_DONE: return
            default: throw failure(sql)
            }
        }
    }

    private func failure(_ sql: String) -> StoreFailure {
        StoreFailure(
            code: sqlite3_extended_errcode(database.sqliteConnection),
            message: String(cString: sqlite3_errmsg(database.sqliteConnection)),
            tried: "run \"\(sql)\" in \(path)")
    }

    private static func bind(_ value: StoreValue, to statement: OpaquePointer, at index: CInt) -> CInt {
        // SQLITE_TRANSIENT, a macro with a cast: SQLite copies the bytes.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .real(let number): return sqlite3_bind_double(statement, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                // A nil pointer would bind NULL.
                guard let start = bytes.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, copied) }
                return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text64(statement, index, $0, UInt64(bytes.count), copied, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(statement, index, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob64(statement, index, $0.baseAddress, UInt64($0.count), copied)
            }
        }
    }

    private static func row(_ statement: OpaquePointer) -> StoreRow {
        StoreRow((0..<sqlite3_column_count(statement)).map { value(statement, at: $0) })
    }

    private static func value(_ statement: OpaquePointer, at column: CInt) -> StoreValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
        case SQLITE_TEXT:
            // The pointer first: sqlite.org/c3ref/column_blob.html says in which order they are to be asked.
            let start = sqlite3_column_text(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            return .blob([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        default: return .null
        }
    }
}

extension StoreFailure {
    /// An error of SQLite, by its extended code (sqlite.org/rescode.html).
    init(code: CInt, message: String, tried: String) {
        switch code & 0xFF {
        case SQLITE_FULL:
            self.init(.full, "\(tried): there is no room left on the disk (\(message)). Make room; nothing was changed.")
        // SQLITE_IOERR_SHMSIZE, a macro with a shift.
        case SQLITE_IOERR where code == SQLITE_IOERR | 19 << 8:
            self.init(.full, "\(tried): there is no room left on the disk for SQLite's index of its log (\(message)).")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self.init(
                .damaged, "\(tried): the file is damaged or no SQLite database (\(message)). Bring back a copy of it.")
        default:
            self.init(.other, "\(tried): \(message) (SQLite's code \(code)).")
        }
    }

    /// An error that GRDB has thrown.
    init(_ error: any Error, _ tried: String) {
        switch error {
        case let failure as StoreFailure: self = failure
        case let error as DatabaseError:
            self.init(
                code: error.extendedResultCode.rawValue, message: error.message ?? "no further words", tried: tried)
        default: self.init(.other, "\(tried): \(error)")
        }
    }
}
