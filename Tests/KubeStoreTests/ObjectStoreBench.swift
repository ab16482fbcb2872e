import JSON
import Linux
import Store
import Synchronization
import TestKit
import Testing

@testable import KubeStore

/// Durable creates a second, and how long after it was begun a write is heard of. Run by hand:
///
///     FORKLESS_BENCH=1 swift test --filter ObjectStoreBench
@Suite(.serialized, .enabled(if: OwnProcess.variable("FORKLESS_BENCH") != nil)) struct ObjectStoreBench {
    private static let filler = String(repeating: "x", count: 300)

    private static func map(_ number: Int) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap", "data": ["text": .string(filler)],
            "metadata": ["name": "m\(number)", "namespace": "default", "uid": "6f1d1f6e-6d29-4a7b-8a13-0c1d2e3f4a5b"],
        ]
    }

    private static func key(_ number: Int) -> ObjectKey { ObjectKey("configmaps", namespace: "default", "m\(number)") }

    private final class Samples: Sendable {
        let starts = Mutex<[Int64: Int]>([:])
        let latencies = Mutex<[Int]>([])
    }

    @Test func `creates by 16 tasks`() async throws {
        let directory = try TemporaryDirectory("bench")
        let store = try await openStore(directory)
        for round in 0..<3 {
            let start = Clock.monotonicNanoseconds()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<16 {
                    group.addTask {
                        for number in 0..<250 {
                            let name = round * 4000 + task * 250 + number
                            try await store.create(Self.key(name), Self.map(name))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let seconds = Double(Clock.monotonicNanoseconds() - start) / 1e9
            print("16 tasks: \(Int(4000 / seconds)) creates a second")
        }
        try await Self.read(store)
        let start = Clock.monotonicNanoseconds()
        let count = try await store.list(ListRequest(ResourceScope("configmaps"))).objects.reduce(0) {
            $0 + $1.bytes.count
        }
        print("list of 12000 objects, \(count) bytes: \((Clock.monotonicNanoseconds() - start) / 1000) µs")
    }

    private static func read(_ store: ObjectStore) async throws {
        let start = Clock.monotonicNanoseconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask { for number in 0..<250 { _ = try await store.get(key(task * 250 + number)).bytes } }
            }
            try await group.waitForAll()
        }
        print("16 tasks: \(Int(4000 / (Double(Clock.monotonicNanoseconds() - start) / 1e9))) gets a second")
    }

    @Test(arguments: [1, 50]) func `from write to event at 100 writes a second`(_ watchers: Int) async throws {
        let directory = try TemporaryDirectory("bench")
        let store = try await openStore(directory)
        let samples = Samples()
        var tasks: [Task<Void, any Error>] = []
        for _ in 0..<watchers {
            let watch = try await store.watch(
                WatchRequest(ResourceScope("configmaps"), .now) { $0.value["kind"] != nil })
            tasks.append(
                Task {
                    while let event = try await watch.next() {
                        let now = Clock.monotonicNanoseconds()
                        let number = Int64(event.object!.key.name.dropFirst())!
                        samples.latencies.withLock { $0.append(now - samples.starts.withLock { $0[number]! }) }
                    }
                })
        }
        for number in 0..<300 {
            samples.starts.withLock { $0[Int64(number)] = Clock.monotonicNanoseconds() }
            try await store.create(Self.key(number), Self.map(number))
            try await Task.sleep(for: .milliseconds(10))
        }
        try await eventually { samples.latencies.withLock { $0.count } == 300 * watchers }
        store.endWatches()
        for task in tasks { try await task.value }
        let sorted = samples.latencies.withLock { $0.sorted() }
        print(
            "\(watchers) watchers: p50 \(sorted[sorted.count / 2] / 1000) µs, p99 \(sorted[sorted.count * 99 / 100] / 1000) µs"
        )
    }
}
