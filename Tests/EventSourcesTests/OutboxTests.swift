import EventSources
import Functions
import Lambda
import Linux
import TestKit
import Testing

@testable import EventSources

@Suite struct OutboxTests {
    @Test func `a letter that cannot be delivered waits and holds back its lane only`() async throws {
        let bench = try EventBench()
        bench.functions.set("f") {
            $0.onSuccess = .queue("later")
            $0.onFailure = .directory(bench.directory.path("d"))
        }
        try await bench.start()
        try await bench.accept("1", order: "k")
        try await bench.accept("2", order: "k")
        try await eventually { try await !bench.outbox.pending().problems.isEmpty }
        try await eventually { try await bench.outbox.pending().count == 2 }
        bench.invoker.use { call, _ in .failed(.notFound("no")) }
        try await bench.accept("3")
        try await eventually { (try? Files.list(bench.directory.path("d"))) == ["id-3.json"] }
        try await bench.makeQueue("later")
        bench.clock.advance(by: .seconds(1))
        try await eventually { try await bench.outbox.pending().count == 0 }
        #expect(try await bench.receive("later").count == 2)
        await bench.stop()
    }

    @Test func `a letter that becomes due while its round is written is looked at again`() async throws {
        let bench = try EventBench()
        bench.functions.set("f") { $0.onSuccess = .queue("later") }
        bench.clock.move(by: .seconds(2))
        try await bench.start()
        try await bench.accept("1")
        try await eventually { try await !bench.outbox.pending().problems.isEmpty }
        try await bench.makeQueue("later")
        try await eventually("it is delivered") {
            bench.clock.advance(by: .seconds(1))
            return try await bench.outbox.pending().count == 0
        }
        await bench.stop()
    }

    @Test func `a letter that a queue does not take is kept and holds nobody back`() async throws {
        let bench = try EventBench(
            invoker: ScriptedInvoker { call, number in
                .success(of: call, number == 1 ? "\"" + String(repeating: "x", count: 1 << 20) + "\"" : "1")
            })
        bench.functions.set("f") { $0.onSuccess = .queue("done") }
        try await bench.start()
        try await bench.makeQueue("done")
        try await bench.accept("1", order: "k")
        try await bench.accept("2", order: "k")
        try await eventually { try await bench.count("done")[0] == 1 }
        // What is wrong with the other one is written after that.
        try await eventually { try await !bench.outbox.pending().problems.isEmpty }
        let pending = try await bench.outbox.pending()
        #expect(pending.count == 1 && pending.problems.first?.contains("shorter than") == true)
        await bench.stop()
    }

    @Test func `a letter to a directory survives the node's death`() async throws {
        let first = try EventBench()
        // A file is where the directory should be.
        try first.directory.write("", to: "d")
        first.functions.set("f") { $0.onSuccess = .directory(first.directory.path("d")) }
        try await first.start()
        try await first.accept("1")
        try await eventually { try await !first.outbox.pending().problems.isEmpty }
        await first.stop()
        try Files.remove(first.directory.path("d"))
        let second = try first.reopened()
        second.clock.advance(by: .seconds(10))
        try await second.start()
        try await eventually { try await second.outbox.pending().count == 0 }
        #expect(try Files.list(second.directory.path("d")) == ["id-1.json"])
        await second.stop()
    }

    @Test func `a destination gets each record once`() async throws {
        let bench = try EventBench()
        bench.functions.set("f") { $0.onSuccess = .queue("done") }
        try await bench.start()
        try await bench.makeQueue("done")
        for number in 0..<50 { try await bench.accept("\(number)") }
        try await eventually { try await bench.count("done")[0] == 50 }
        #expect(try await bench.outbox.pending().count == 0)
        await bench.stop()
    }

    @Test(arguments: [
        ("abc-1", "abc-1.json"), ("a/b", "a%2Fb.json"), (".x", "%2Ex.json"), ("a.b", "a.b.json"), ("%", "%25.json"),
        ("é", "%C3%A9.json"),
    ])
    func `ids become names of files`(_ id: String, _ name: String) {
        #expect(FileNaming.name(of: id) == name)
    }

    @Test func `long ids have short and different names`() {
        let one = FileNaming.name(of: String(repeating: "x", count: 500) + "1")
        let other = FileNaming.name(of: String(repeating: "x", count: 500) + "2")
        #expect(one != other && one.utf8.count < 250)
        #expect(FileNaming.name(of: "") != FileNaming.name(of: " "))
    }
}
