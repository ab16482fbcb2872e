import JSON
import OCI
import Testing

@Suite struct RuntimeFeaturesTests {
    private let json = RuntimeFeatures.json(
        version: "1.2.3", architectures: [.x86_64, .x86], flags: [.log], annotations: ["a.b"])

    @Test func `what features lists is what reading accepts`() throws {
        func accepts(_ change: (inout JSONValue) -> Void) -> Bool {
            (try? RuntimeDocuments.spec(RuntimeDocuments.least, change)) != nil
        }
        func names(_ found: JSONValue?) throws -> [String] { try #require(found.flatMap { [String](json: $0) }) }
        for version in ["ociVersionMin", "ociVersionMax"] {
            let spec = try RuntimeDocuments.spec(RuntimeDocuments.least) { $0["ociVersion"] = json[version] }
            try spec.check()
            #expect(spec.warnings == [])
        }
        for kind in try names(json["linux", "namespaces"]) {
            #expect(accepts { $0["linux", "namespaces"] = [["type": .string(kind)]] }, "\(kind)")
        }
        for action in try names(json["linux", "seccomp", "actions"]) {
            #expect(
                accepts { $0["linux", "seccomp"] = ["defaultAction": .string(action), "listenerPath": "/x"] },
                "\(action)")
        }
        for flag in try names(json["linux", "seccomp", "knownFlags"]) {
            #expect(accepts { $0["linux", "seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "flags": [.string(flag)]] })
        }
        for op in try names(json["linux", "seccomp", "operators"]) {
            #expect(
                accepts {
                    $0["linux", "seccomp"] = [
                        "defaultAction": "SCMP_ACT_ALLOW",
                        "syscalls": [
                            [
                                "names": ["read"], "action": "SCMP_ACT_LOG",
                                "args": [["index": 0, "value": 1, "op": .string(op)]],
                            ]
                        ],
                    ]
                })
        }
        for mode in try names(json["linux", "memoryPolicy", "modes"]) {
            for flag in try names(json["linux", "memoryPolicy", "flags"]) {
                #expect(accepts { $0["linux", "memoryPolicy"] = ["mode": .string(mode), "flags": [.string(flag)]] })
            }
        }
        for hook in try names(json["hooks"]) {
            let spec = try RuntimeDocuments.spec(RuntimeDocuments.least) {
                $0["hooks"] = .object([hook: [["path": "/x"]]])
            }
            #expect(spec.hooks.byStage.count == 1)
        }
        #expect(try names(json["mountOptions"]) == MountOptions.names)
        #expect(try names(json["potentiallyUnsafeConfigAnnotations"]) == ["a.b"])
        #expect(try names(json["linux", "capabilities"]).count == 41)
        #expect(try names(json["linux", "seccomp", "archs"]) == ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64"])
        #expect(try names(json["linux", "seccomp", "supportedFlags"]) == ["SECCOMP_FILTER_FLAG_LOG"])
    }

    @Test func `what features denies is refused`() throws {
        #expect(json["linux", "intelRdt", "enabled"] == false)
        let spec = try RuntimeDocuments.spec(RuntimeDocuments.least) { $0["linux", "intelRdt"] = ["closID": "a"] }
        let error = #expect(throws: DocumentError.self) { try spec.check() }
        #expect(error?.problem.hasPrefix("linux.intelRdt") == true, "\(error?.problem ?? "accepted")")
    }
}
