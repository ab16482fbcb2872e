import Glibc
import JSON
import Linux
import Store
import TestKit
import Testing

@testable import KubeStore

/// A process that is killed while it writes and compacts, and a disk that is full.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ObjectStoreFaultTests {
    @Test func `what was acknowledged is there after kill -9, whole`() async throws {
        let directory = try TemporaryDirectory("crash")
        let program = try Files.link("/proc/self/exe")
        for _ in 0..<4 {
            let outcome = try await CommandRunner.run(
                [program, "--testing-library", "swift-testing", "--filter", "CrashingObjectStore"],
                environment: ["FORKLESS_CRASHING_OBJECTS=\(directory.path)", "PATH=/usr/bin:/bin"])
            #expect(outcome.status == .signaled(SIGKILL, coreDumped: false), "\(outcome.text)\(outcome.errorText)")
            var acknowledged: [String: Int64] = [:]
            for line in outcome.text.split(separator: "\n") where line.hasPrefix("ack ") {
                let parts = line.split(separator: " ")
                acknowledged[String(parts[1])] = Int64(parts[2])!
            }
            #expect(!acknowledged.isEmpty)
            try await Self.examine(directory, acknowledged)
        }
    }

    /// - Parameter acknowledged: the size that each writer was last told to be written.
    private static func examine(_ directory: TemporaryDirectory, _ acknowledged: [String: Int64]) async throws {
        let database = try StateDatabase(path: directory.path("node.db"), migrations: ObjectStore.migrations)
        let store = try await ObjectStore.open(database)
        let all = try await store.list(ListRequest(ResourceScope("pods"))).objects
        let sizes = Dictionary(uniqueKeysWithValues: all.map { ($0.key.name, $0.value["size"]!.integer!) })
        for (writer, size) in acknowledged {
            let left = try #require(sizes["\(writer)-left"])
            #expect(left == sizes["\(writer)-right"], "both of a commit or none")
            #expect(left >= size)
        }
        // Every object's row is the last of its key, and no deleted one is there.
        let strange = try await database.read { reader throws(StoreFailure) in
            try reader.query(
                """
                SELECT o.name FROM kube_object o LEFT JOIN kube_revision r ON r.revision = o.revision
                WHERE r.body IS NULL OR r.revision <> (SELECT max(revision) FROM kube_revision n WHERE
                n.resource = o.resource AND n.namespace = o.namespace AND n.name = o.name)
                """)
        }
        #expect(strange == [])
        try await replay(store, to: all)
    }

    /// The history leads from its oldest state to the newest.
    private static func replay(_ store: ObjectStore, to all: [StoredObject]) async throws {
        let history = try await store.history()
        let oldest = max(history.oldestListed, 1)
        var state: [ObjectKey: StoredObject] = [:]
        for object in try await store.list(ListRequest(ResourceScope("pods"), .exact(oldest))).objects {
            state[object.key] = object
        }
        let last = try await store.create(pod("last"), object())
        let watch = try await store.watch(WatchRequest(ResourceScope("pods"), .after(oldest)))
        while let event = try await watch.next(), let object = event.object, object != last {
            if case .deleted = event { state[object.key] = nil } else { state[object.key] = object }
        }
        try await store.delete(pod("last"))
        #expect(state.values.sorted { $0.key < $1.key } == all)
    }

    @Test(.enabled(if: isRoot)) func `a full disk changes nothing and says so`() async throws {
        try await SmallDisk.with("1m") { try await Self.fillDisk($0) }
    }

    private static func fillDisk(_ place: String) async throws {
        let database = try StateDatabase(path: place + "/node.db", migrations: ObjectStore.migrations)
        let store = try await ObjectStore.open(database)
        let pods = ResourceScope("pods")
        let before = try await store.create(pod("before"), object(1))
        let watch = try await store.watch(WatchRequest(pods, .now))
        let large: JSONValue = ["text": .string(String(repeating: "x", count: 2 << 20))]
        let failure = await #expect(throws: ObjectStoreFailure.self) {
            try await store.commit([.update(pod("before"), object(2)), .create(pod("large"), large)])
        }
        guard case .storage(let reason) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(reason.kind == .full)
        #expect(try await store.list(ListRequest(pods)).objects == [before])
        let after = try await store.create(pod("after"), object(3))
        #expect(after.revision == before.revision + 1)
        #expect(try await watch.next() == .added(after))
        await database.close()
    }
}

/// Runs in a process of its own, which it kills: see `what was acknowledged is there after kill -9, whole`.
struct CrashingObjectStore {
    private static let directory = getenv("FORKLESS_CRASHING_OBJECTS").map { String(cString: $0) }

    @Test(.enabled(if: directory != nil)) func `writes until it is killed`() async throws {
        let database = try StateDatabase(path: Self.directory! + "/node.db", migrations: ObjectStore.migrations)
        let store = try await ObjectStore.open(database)
        // Something is acknowledged before the end, however slow the disk is.
        try await Self.write("\(getpid())-first", store, upTo: 1)
        Task.detached {
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            kill(getpid(), SIGKILL)
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<16 { group.addTask { try? await Self.write("\(getpid())-\(writer)", store) } }
            group.addTask { await Self.compact(store) }
        }
    }

    /// Two objects that always have the same size, and one that comes and goes.
    private static func write(_ writer: String, _ store: ObjectStore, upTo last: Int = .max) async throws {
        for size in 0...last {
            let (left, right, guest) = (pod("\(writer)-left"), pod("\(writer)-right"), pod("\(writer)-guest"))
            let value = object(size)
            switch size {
            case 0: try await store.commit([.create(left, value), .create(right, value)])
            case _ where size % 2 == 1:
                try await store.commit([.update(left, value), .create(guest, value), .update(right, value)])
            default: try await store.commit([.delete(guest), .update(left, value), .update(right, value)])
            }
            try Files.writeAll(Array("ack \(writer) \(size)\n".utf8), to: 1)
        }
    }

    private static func compact(_ store: ObjectStore) async {
        while true {
            try? await Task.sleep(for: .milliseconds(5))
            guard let history = try? await store.history() else { continue }
            if history.newest - 20 > history.compacted { try? await store.compact(to: history.newest - 20) }
        }
    }
}
