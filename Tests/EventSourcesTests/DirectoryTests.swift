import EventSources
import Functions
import Glibc
import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import EventSources

@Suite(.serialized) struct DirectoryTests {
    static func keys(_ bench: EventBench) -> [String] {
        bench.invoker.calls.compactMap {
            (try? JSONParser.parse($0.payload))?["Records"]?[0]?["s3", "object", "key"]?.string
        }
    }

    func arn(_ path: String) -> String { "arn:forkless:directory:us-east-1:000000000000:" + path }

    @Test func `a file that has arrived is an event as S3's`() async throws {
        let bench = try EventBench()
        try await bench.start()
        let inbox = bench.directory.path("in box")
        try Files.makeDirectories(inbox)
        bench.mappings.put(try mapping(arn(inbox)))
        try await eventually { bench.mappings.lastResult(of: "m1") == "OK" }
        try bench.directory.write("hello", to: "in box/a file+ä.xml")
        try await eventually { bench.invoker.calls.count >= 1 }
        let record = try #require(try JSONParser.parse(bench.invoker.calls[0].payload)["Records"]?[0])
        // The fields of the sample that ships with aws-sam-cli 1.170.0 (samcli/lib/generated_sample_events/events/s3), in its order.
        let fields = [
            "eventVersion", "eventSource", "awsRegion", "eventTime", "eventName", "userIdentity", "requestParameters",
            "responseElements", "s3",
        ]
        #expect(record.object?.keys == fields)
        #expect(record["s3"]?.object?.keys == ["s3SchemaVersion", "configurationId", "bucket", "object"])
        #expect(record["s3", "object"]?.object?.keys == ["key", "size", "eTag", "sequencer"])
        #expect(record["s3", "object", "key"]?.string == "a+file%2B%C3%A4.xml")
        #expect(record["s3", "object", "size"]?.integer == 5)
        #expect(record["s3", "object", "eTag"]?.string == "5d41402abc4b2a76b9719d911017c592")
        #expect(record["s3", "bucket", "name"]?.string == inbox)
        #expect(record["eventSource"]?.string == "aws:s3" && record["eventName"]?.string == "ObjectCreated:Put")
        #expect(bench.invoker.calls[0].source == "directory" && bench.invoker.calls[0].messageID != nil)
        await bench.stop()
    }

    @Test func `each version of a file is one event, also after a restart`() async throws {
        let first = try EventBench()
        try await first.start()
        let inbox = first.directory.path("in")
        try Files.makeDirectories(inbox)
        try Files.replace(inbox + "/a", with: [1])
        let mapping = try mapping(arn(inbox))
        first.mappings.put(mapping)
        try await eventually { Self.keys(first) == ["a"] }
        try Files.replace(inbox + "/a", with: [1, 2])
        try await eventually { Self.keys(first).filter { $0 == "a" }.count == 2 }
        try await eventually { try await first.rows("async_event") == 0 }
        await first.stop()
        try Files.replace(inbox + "/b", with: [1])
        let second = try first.reopened()
        try await second.start()
        second.mappings.put(mapping)
        try await eventually { Self.keys(second) == ["b"] }
        await second.stop()
    }

    @Test func `files that came while nobody watched are found`() async throws {
        let bench = try EventBench()
        try await bench.start()
        let inbox = bench.directory.path("in")
        try Files.makeDirectories(inbox + "/sub")
        for name in ["b.xml", "a.xml", ".hidden", "x.tmp", "y.part", "c.txt"] {
            try Files.replace(inbox + "/" + name, with: [1])
        }
        bench.mappings.put(try mapping(arn(inbox) + "?pattern=*.xml"))
        // In whatever order the database's readers find the two events.
        try await eventually { Self.keys(bench).sorted() == ["a.xml", "b.xml"] }
        await bench.stop()
    }

    @Test func `a file that is still being written is taken at its close`() async throws {
        let bench = try EventBench()
        try await bench.start()
        let inbox = bench.directory.path("in")
        try Files.makeDirectories(inbox)
        var writer: SharedFD? = SharedFD(try Files.open(inbox + "/a", O_WRONLY | O_CREAT, mode: 0o600))
        try Files.writeAll([1, 2, 3], to: writer!.raw)
        bench.mappings.put(try mapping(arn(inbox)))
        try await eventually { bench.mappings.lastResult(of: "m1") == "OK" }
        try Files.replace(inbox + "/b", with: [1])
        try await eventually { Self.keys(bench) == ["b"] }
        try Files.writeAll([4], to: writer!.raw)
        writer = nil
        try await eventually { Self.keys(bench) == ["b", "a"] }
        let record = try JSONParser.parse(bench.invoker.calls[1].payload)["Records"]?[0]
        #expect(record?["s3", "object", "size"]?.integer == 4)
        await bench.stop()
    }

    @Test func `what is to happen with a file happens after success only`() async throws {
        let bench = try EventBench(
            invoker: ScriptedInvoker { call, _ in
                String(decoding: call.payload, as: UTF8.self).contains("bad")
                    ? .failed(.notFound("no")) : .success(of: call)
            })
        try await bench.start()
        let inbox = bench.directory.path("in")
        let done = bench.directory.path("done")
        try Files.makeDirectories(inbox)
        bench.mappings.put(try mapping(arn(inbox) + "?after=move:" + done))
        for name in ["good", "bad"] { try Files.replace(inbox + "/" + name, with: [1]) }
        try await eventually { (try? Files.list(done)) == ["good"] }
        try await eventually { bench.events.counters.failed == 1 }
        #expect(try Files.list(inbox) == ["bad"])
        await bench.stop()
    }

    @Test func `a file that was written anew is not removed`() throws {
        let directory = try TemporaryDirectory("events")
        try directory.write("one", to: "a")
        let version = try FileVersion(of: directory.path("a"))
        try directory.write("other", to: "a")
        #expect(FileDelivery.perform([Letter(.remove(version), [])]) == [.done])
        #expect(Files.exists(directory.path("a")))
        let now = try FileVersion(of: directory.path("a"))
        #expect(FileDelivery.perform([Letter(.remove(now), [])]) == [.done])
        #expect(!Files.exists(directory.path("a")))
        #expect(FileDelivery.perform([Letter(.remove(version), [])]) == [.done])
    }

    @Test func `a directory that is made later is watched then`() async throws {
        let bench = try EventBench()
        try await bench.start()
        let inbox = bench.directory.path("later")
        bench.mappings.put(try mapping(arn(inbox)))
        try await eventually { bench.mappings.lastResult(of: "m1")?.hasPrefix("PROBLEM") == true }
        try Files.makeDirectories(inbox)
        try Files.replace(inbox + "/a", with: [1])
        try await eventually { Self.keys(bench) == ["a"] }
        await bench.stop()
    }

    @Test(arguments: [
        ("*", "anything", true), ("*.xml", "a.xml", true), ("*.xml", "a.xml.gz", false), ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("[a-c]*", "bx", true), ("[!a-c]*", "bx", false), ("[]x]", "]", true), ("*a*b*", "xxaxxbxx", true),
        ("", "", true),
        ("*a*a*a*a*a*a*a*b", String(repeating: "a", count: 200), false),
    ])
    func `a pattern takes names as a shell does`(_ pattern: String, _ name: String, _ matches: Bool) throws {
        #expect(try #require(NamePattern(pattern)).matches(name) == matches)
    }
}
