internal import GRDB

/// A change of the database's shape, made once, in the order in which they are named.
package struct StoreMigration: Hashable, Sendable {
    /// What it belongs to and its number: "ledger-1". What belongs together is numbered upwards and never changed again.
    package var name: String
    /// Statements, each ended by a semicolon.
    package var sql: String

    package init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }

    /// What it belongs to: "ledger".
    private static func subject(_ name: String) -> Substring {
        name.lastIndex(of: "-").map { name[..<$0] } ?? name[...]
    }

    /// Makes those that the database does not know yet, each in a transaction of its own.
    static func apply(_ migrations: [StoreMigration], to pool: DatabasePool) throws {
        precondition(Set(migrations.map(\.name)).count == migrations.count, "two migrations have one name")
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { try $0.execute(sql: migration.sql) }
        }
        let subjects = Set(migrations.map { subject($0.name) })
        let applied = try pool.read { try migrator.appliedIdentifiers($0) }
        let known = Set(migrations.map(\.name))
        if let strange = applied.sorted().first(where: { subjects.contains(subject($0)) && !known.contains($0) }) {
            throw StoreFailure(
                .other,
                "open \(pool.path): it was changed by a later version of Forkless (\(strange)), which this one does not "
                    + "know. Use that version, or another state directory.")
        }
        try migrator.migrate(pool)
    }
}
