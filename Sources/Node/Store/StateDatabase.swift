internal import GRDB
internal import Linux

/// The node's database: one SQLite file in which every part keeps its own tables.
///
/// Changes are made one after the other by one writer, which takes all that wait into one transaction: 16 writers
/// share a wait for the disk instead of queueing for it. Whoever hears of success may rely on it after a power cut
/// (`synchronous=FULL`). Readers have connections and threads of their own and see the state of one moment.
///
/// Invariants
/// 1. An acknowledged change is on the disk. (tests: `every connection syncs before it acknowledges`,
///    `what was acknowledged is there after kill -9`)
/// 2. Readers cannot change anything. (test: `a reader cannot write`)
package final class StateDatabase: Sendable {
    /// Changes that may wait. At 12,000 a second it is five seconds' worth; a caller beyond it should hear so.
    package static let waitingLimit = 65_536
    /// Changes of one transaction, so that the first does not wait too long for the last.
    static let groupLimit = 2048

    package let path: String
    private let pool: DatabasePool
    private let queue: WriteQueue
    package let counters = StoreCounters()

    /// Opens the database, making file and tables that are missing.
    ///
    /// Blocks; for the start of the node and for tests.
    /// - Parameters:
    ///   - path: the file; its directory exists.
    ///   - migrations: of every part that uses it, in order.
    ///   - waitingLimit: how many changes may wait.
    package convenience init(
        path: String, migrations: [StoreMigration], waitingLimit: Int = StateDatabase.waitingLimit
    ) throws(StoreFailure) {
        // Made here for its permissions, which SQLite also gives to the files beside it. Never opened when it is there:
        // closing any descriptor of a file drops this process's locks on it, fcntl(2).
        if !Files.exists(path) {
            do { try Files.replace(path, with: [], mode: 0o600) } catch {
                throw StoreFailure(.other, "make the database: \(error)")
            }
        }
        try self.init(path: path, migrations: migrations, isReadOnly: false, waitingLimit: waitingLimit)
    }

    /// Opens a database that is there, to read it only, also beside a node that uses it.
    package convenience init(reading path: String) throws(StoreFailure) {
        guard Files.exists(path) else {
            throw StoreFailure(.other, "read the database \(path): there is no such file. Name the state directory of a node.")
        }
        try self.init(path: path, migrations: [], isReadOnly: true, waitingLimit: 0)
    }

    private init(path: String, migrations: [StoreMigration], isReadOnly: Bool, waitingLimit: Int) throws(StoreFailure) {
        self.path = path
        queue = WriteQueue(limit: waitingLimit, path: path)
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration(isReadOnly: isReadOnly))
            if !isReadOnly {
                // GRDB has set NORMAL with WAL, which may lose acknowledged changes in a power cut.
                try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                try StoreMigration.apply(migrations, to: pool)
            }
        } catch {
            throw StoreFailure(error, "open the database \(path)")
        }
    }

    private static func configuration(isReadOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.label = "forkless.store"
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            // A larger log means fewer times that changed pages are written twice; its file shrinks again after a burst.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864")
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return configuration
    }

    /// Makes a change and tells when it is on the disk.
    ///
    /// A body that throws is undone and told its failure, others in the same transaction stand.
    /// - Parameters:
    ///   - body: runs on the writer's thread, in the order of the calls.
    ///   - then: runs on the writer's thread, or at once on the caller's when the change is refused: short, and never waiting.
    package func enqueue<Value: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Value,
        then: @escaping @Sendable (Result<Value, StoreFailure>) -> Void
    ) {
        let write = PendingWrite(
            perform: { connection in
                do throws(StoreFailure) {
                    let value = try body(connection)
                    return PerformedWrite(failure: nil) { then($0.map { .failure($0) } ?? .success(value)) }
                } catch {
                    return PerformedWrite(failure: error) { then(.failure($0 ?? error)) }
                }
            },
            refuse: { then(.failure($0)) })
        switch queue.append(write) {
        case .refused(let failure): then(.failure(failure))
        case .queued: break
        case .queuedFirst: pool.asyncWriteWithoutTransaction { [queue, path, counters] in
            Self.drain(queue, Connection(database: $0, path: path), counters)
        }
        }
    }

    /// Makes a change and returns when it is on the disk.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Value
    ) async throws(StoreFailure) -> Value {
        try await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Value, StoreFailure>, Never>) in
            enqueue(body) { continuation.resume(returning: $0) }
        }.get()
    }

    /// Reads the state of one moment, on a reader's thread.
    /// - Parameter then: runs on the reader's thread.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Value,
        then: @escaping @Sendable (Result<Value, StoreFailure>) -> Void
    ) {
        pool.asyncRead { [path] access in
            then(
                Result { () throws(StoreFailure) in
                    let database: Database
                    do { database = try access.get() } catch { throw StoreFailure(error, "read \(path)") }
                    return try body(Connection(database: database, path: path))
                })
        }
    }

    /// Reads the state of one moment.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Value
    ) async throws(StoreFailure) -> Value {
        try await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Value, StoreFailure>, Never>) in
            read(body) { continuation.resume(returning: $0) }
        }.get()
    }

    /// Changes that wait for the disk.
    package var waitingChanges: Int { queue.count }

    /// Of the database's file and its log of changes, bytes. Two calls of the kernel.
    package var bytesOnDisk: Int {
        [path, path + "-wal"].reduce(0) { $0 + ((try? Files.status($1))?.size ?? 0) }
    }

    /// Takes no more changes, and returns when those that wait are on the disk. Reading goes on until the last reference is gone.
    package func close() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            queue.close { continuation.resume() }
        }
    }

    private static func drain(_ queue: WriteQueue, _ connection: Connection, _ counters: StoreCounters) {
        while true {
            let group = queue.take(limit: groupLimit)
            if group.isEmpty { return }
            WriteGroup.perform(group, on: connection, counted: counters)
        }
    }
}
