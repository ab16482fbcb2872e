internal import Linux

/// Changes that are made in one transaction: one wait for the disk serves them all.
///
/// Invariants
/// 1. A change that fails is undone, and the others of its group stand. (test: `a change that fails does not spoil its group`)
/// 2. Nobody hears of success before the commit is on the disk. (test: `what was acknowledged is there after kill -9`)
/// 3. When the transaction fails as a whole, every change of it fails. (test: `a full disk changes nothing and says so`)
enum WriteGroup {
    static func perform(_ group: [PendingWrite], on connection: Connection, counted counters: StoreCounters) {
        do throws(StoreFailure) {
            try connection.execute("BEGIN IMMEDIATE")
        } catch {
            for write in group { write.refuse(error) }
            return
        }
        var performed: [PerformedWrite] = []
        performed.reserveCapacity(group.count)
        var failure: StoreFailure?
        for (index, write) in group.enumerated() {
            do throws(StoreFailure) {
                performed.append(try run(write, on: connection, isAlone: group.count == 1))
            } catch {
                failure = error
                for rest in group[index...] { rest.refuse(error) }
                break
            }
        }
        if failure == nil {
            let begin = Clock.monotonicNanoseconds()
            failure = commit(connection, isWanted: group.count > 1 || performed[0].failure == nil)
            counters.committed(group.count, nanoseconds: Clock.monotonicNanoseconds() - begin, isFailed: failure != nil)
        } else {
            counters.failed(group.count)
        }
        for write in performed { write.tell(failure) }
    }

    /// - Throws: when the transaction is lost as a whole.
    private static func run(
        _ write: PendingWrite, on connection: Connection, isAlone: Bool
    ) throws(StoreFailure) -> PerformedWrite {
        if !isAlone { try connection.execute("SAVEPOINT change") }
        let performed = write.perform(connection)
        guard connection.isInTransaction else {
            throw performed.failure
                ?? StoreFailure(.other, "change the database: SQLite has ended the transaction after an error.")
        }
        if !isAlone {
            if performed.failure != nil { try connection.execute("ROLLBACK TO change") }
            try connection.execute("RELEASE change")
        }
        return performed
    }

    private static func commit(_ connection: Connection, isWanted: Bool) -> StoreFailure? {
        do throws(StoreFailure) {
            try connection.execute(isWanted ? "COMMIT" : "ROLLBACK")
            return nil
        } catch {
            // A commit that fails leaves the transaction open, unless the error was grave enough to end it.
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            return error
        }
    }
}
