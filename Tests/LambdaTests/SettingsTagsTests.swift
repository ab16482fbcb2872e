import Lambda
import Testing

struct SettingsTagsTests {
    private static func settings(_ tags: [String: String], _ runtime: String? = "provided.al2023") throws -> FunctionSettings {
        try FunctionSettings(tags: tags, runtime: runtime)
    }

    @Test func `a tag of Forkless is a setting or is refused`() throws {
        #expect(try Self.settings(["forkless:freshness": "fresh"]).freshness == .fresh)
        #expect(try Self.settings(["forkless:freshness": "concurrent:8"]).freshness == .concurrent(8))
        #expect(try Self.settings(["forkless:start": "zygote"]).start == .zygote)
        #expect(try Self.settings(["forkless:start": "cold"], "python3.11").start == .cold)
        #expect(try Self.settings(["forkless:key": "header:Idempotency-Key"]).key == .header("idempotency-key"))
        #expect(try Self.settings(["forkless:key": "path:$.a.b[0]"]).key == .path("$.a.b[0]"))
        #expect(try Self.settings(["forkless:key": "sdk", "forkless:key-expiry": "60"]).keyExpirySeconds == 60)
        #expect(try Self.settings(["forkless:order": "message"]).order == .message)
        #expect(try Self.settings(["forkless:deadline-header": "X-Deadline"]).deadlineHeader == "X-Deadline")
        #expect(try Self.settings(["forkless:record": "on"]).recordsPayloads)
        #expect(try Self.settings(["forkless:input": "file"], "forkless.stdio").input == .file)
        #expect(try Self.settings(["team": "payments", "forklessness": "x"]) == FunctionSettings())
    }

    @Test func `defaults follow the runtime`() throws {
        #expect(try Self.settings([:], "python3.11").start == .zygote)
        #expect(try Self.settings([:], "provided").start == .cold)
        #expect(try Self.settings([:], nil).start == .cold)
        #expect(try Self.settings([:], "forkless.stdio").freshness == .fresh)
    }

    @Test(arguments: [
        ("forkless:freshnes", "reuse", "provided"), ("forkless:freshness", "new", "provided"),
        ("forkless:freshness", "concurrent:0", "provided"), ("forkless:freshness", "concurrent:1601", "provided"),
        ("forkless:freshness", "concurrent:", "provided"), ("forkless:freshness", "reuse", "forkless.stdio"),
        ("forkless:start", "warm", "provided"), ("forkless:start", "zygote", "forkless.stdio"), ("forkless:start", "zygote", nil),
        ("forkless:key", "header:", "provided"), ("forkless:key", "header:a b", "provided"), ("forkless:key", "path:a", "provided"),
        ("forkless:key", "path:$.a[", "provided"), ("forkless:key", "body", "provided"), ("forkless:key-expiry", "0", "provided"),
        ("forkless:key-expiry", "1d", "provided"), ("forkless:deadline-header", "a:b", "provided"), ("forkless:record", "yes", "provided"),
        ("forkless:input", "body", "provided"), ("forkless:input", "line", "forkless.stdio"), ("forkless:", "", "provided"),
    ] as [(String, String, String?)])
    func `what is not understood is refused`(_ tag: String, _ value: String, _ runtime: String?) {
        let failure = #expect(throws: LambdaFailure.self) { try FunctionSettings(tags: [tag: value], runtime: runtime) }
        #expect(failure?.name == "InvalidParameterValueException")
        #expect(failure?.message.contains(tag) == true)
    }
}
