import Metrics
import Store
import TestKit
import Testing

@Suite struct StoreCountersTests {
    @Test func `changes are counted when they are on the disk, with the wait for it`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try StateDatabase(
            path: directory.path("node.db"), migrations: [StoreMigration("counted-1", "CREATE TABLE word (text TEXT UNIQUE);")])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try await database.write { store throws(StoreFailure) in
                        try store.execute("INSERT INTO word VALUES (?1)", [.text("\(number)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        func number(_ name: String) async -> Double? {
            let sample = await StoreMetrics([("node", database)]).metrics().first { $0.name == name }?.samples.first
            #expect(sample?.labels == [MetricLabel("database", "node")])
            switch sample?.value {
            case .number(let number): return number
            case .histogram(let histogram): return Double(histogram.count)
            case nil: return nil
            }
        }
        #expect(await number("forkless_store_writes_total") == 50)
        let commits = try #require(await number("forkless_store_commits_total"))
        #expect((1...50).contains(commits))
        #expect(await number("forkless_store_commit_seconds") == commits)
        #expect(await number("forkless_store_write_failures_total") == 0)
        #expect(await number("forkless_store_waiting_writes") == 0)
        #expect(try #require(await number("forkless_store_size_bytes")) > 4096)
        await database.close()
    }
}
