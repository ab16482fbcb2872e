import Linux
import Store
import TestKit
import Testing

/// The shape of the database grows, one part beside the other.
struct MigrationTests {
    private let one = StoreMigration("words-1", "CREATE TABLE words (word TEXT); CREATE INDEX byWord ON words (word);")
    private let two = StoreMigration("words-2", "ALTER TABLE words ADD COLUMN language TEXT;")
    private let other = StoreMigration("numbers-1", "CREATE TABLE numbers (number INTEGER);")

    @Test func `migrations are made once, in order, and each part brings its own`() async throws {
        let directory = try TemporaryDirectory("store")
        let path = directory.path("node.db")
        await (try StateDatabase(path: path, migrations: [one])).close()
        await (try StateDatabase(path: path, migrations: [other])).close()
        let database = try StateDatabase(path: path, migrations: [one, two, other])
        try await database.write { store throws(StoreFailure) in
            try store.execute("INSERT INTO words (word, language) VALUES ('Haus', 'de')")
            try store.execute("INSERT INTO numbers VALUES (1)")
        }
    }

    @Test func `a database of a later version is refused`() throws {
        let directory = try TemporaryDirectory("store")
        let path = directory.path("node.db")
        _ = try StateDatabase(path: path, migrations: [one, two])
        let failure = #expect(throws: StoreFailure.self) { try StateDatabase(path: path, migrations: [one, other]) }
        #expect(failure?.sentence.contains("words-2") == true)
    }

    @Test func `a migration that fails changes nothing`() async throws {
        let directory = try TemporaryDirectory("store")
        let path = directory.path("node.db")
        let broken = StoreMigration("words-2", "ALTER TABLE words ADD COLUMN language TEXT; NONSENSE;")
        #expect(throws: StoreFailure.self) { try StateDatabase(path: path, migrations: [one, broken]) }
        let database = try StateDatabase(path: path, migrations: [one, two])
        let columns = try await database.read { reader throws(StoreFailure) in
            try reader.query("SELECT name FROM pragma_table_info('words')").map { $0.text(0) }
        }
        #expect(columns == ["word", "language"])
    }

    @Test func `a file that is no database is refused as damaged`() throws {
        let directory = try TemporaryDirectory("store")
        let path = try directory.write(String(repeating: "no database at all ", count: 100), to: "node.db")
        let failure = #expect(throws: StoreFailure.self) { try StateDatabase(path: path, migrations: [one]) }
        #expect(failure?.kind == .damaged)
        #expect(failure?.sentence.contains(path) == true)
    }

    @Test func `a database to read that is missing is named`() throws {
        let directory = try TemporaryDirectory("store")
        let failure = #expect(throws: StoreFailure.self) { try StateDatabase(reading: directory.path("node.db")) }
        #expect(failure?.sentence.contains("there is no such file") == true)
        #expect(!Files.exists(directory.path("node.db")))
    }
}
