import Foundation
import JSON
import KubeObjects
import KubeStore
import Linux
import Store
import TestKit
import Testing

@testable import KubeAPI

/// What Benchmarks cannot see, since it speaks to a whole node: the API alone, on a database. Only printed, nothing is
/// asserted about time: `FORKLESS_MEASURE=1 swift test -c release -Xswiftc -enable-testing --filter Throughput`.
@Suite(.timeLimit(.minutes(5)), .enabled(if: ProcessInfo.processInfo.environment["FORKLESS_MEASURE"] != nil))
struct Throughput {
    private func rate(_ what: String, _ count: Int, _ body: @escaping @Sendable (Int) async -> Void) async {
        let start = ContinuousClock.now
        await withTaskGroup { group in
            for client in 0..<16 {
                group.addTask { for number in stride(from: client, to: count, by: 16) { await body(number) } }
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print("\(what): \(Int(Double(count) / seconds))/s")
    }

    private func time(_ what: String, _ body: () async -> Int) async {
        for _ in 0..<3 {
            let start = ContinuousClock.now
            let bytes = await body()
            print("\(what): \((ContinuousClock.now - start) / .milliseconds(1)) ms, \(bytes) bytes")
        }
    }

    @Test func `creates, reads and lists`() async throws {
        let directory = try TemporaryDirectory("measure")
        let database = try StateDatabase(path: directory.path("node.db"), migrations: ObjectStore.migrations)
        let store = try await ObjectStore.open(database)
        let door = try await Door(store: store)
        await rate("create configmaps", 8000) { number in
            _ = await door.raw("POST", maps, JSONWriter.bytes(Door.configMap("m\(number)")))
        }
        await rate("get configmaps", 20000) { number in _ = await door.raw("GET", maps + "/m\(number % 8000)") }
        await rate("patch configmaps", 8000) { number in
            _ = await door.raw(
                "PATCH", maps + "/m\(number)", Array("{\"data\":{\"b\":\"2\"}}".utf8),
                type: "application/merge-patch+json")
        }
        await rate("create pods", 5000) { number in
            _ = await door.raw("POST", pods, JSONWriter.bytes(Door.pod("p\(number)")))
        }
        func size(_ path: String, _ accept: String? = nil) async -> Int {
            var headers: [String: String] = [:]
            headers["accept"] = accept
            guard case .whole(let answer) = await door.raw("GET", path, headers: headers) else { return 0 }
            return answer.body.count
        }
        await time("list 5000 pods") { await size(pods) }
        await time("table of 5000 pods") { await size(pods, "application/json;as=Table;v=v1;g=meta.k8s.io") }
        await time("selected pods") { await size(pods + "?labelSelector=a%3Db") }
        await rate("delete configmaps", 8000) { number in _ = await door.raw("DELETE", maps + "/m\(number)") }
        await door.close()
    }
}
