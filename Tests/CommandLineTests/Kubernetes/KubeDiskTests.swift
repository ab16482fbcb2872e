import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// A node whose disk is full.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeDiskTests {
    @Test func `a full disk refuses writes with a sentence, serves reads, and all goes on when there is room again`()
        async throws
    {
        try await SmallDisk.with("96m") { disk in
            try await KubeStage.run(state: disk + "/state") { kubectl in
                try await kubectl(
                    "run", "web", "--image=busybox:1", "--command", "--", "sh", "-c",
                    "while :; do echo a line of a log; sleep 0.02; done")
                try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
                try await kubectl("create", "configmap", "before", "--from-literal=a=1")
                // All of it: what is left is less than a page.
                let filler = disk + "/filler"
                _ = try await CommandRunner.run(["dd", "if=/dev/zero", "of=\(filler)", "bs=64k"])
                let said = try JSONParser.parse(Array(try await kubectl.raw(Self.full).utf8))
                #expect(said["statuses"] == [507], "\(JSONWriter.text(said))")
                for message in said["messages"]?.array ?? [] {
                    #expect(message["reason"] == "InsufficientStorage", "\(JSONWriter.text(message))")
                    #expect(message["message"]?.string?.contains("full") == true, "\(JSONWriter.text(message))")
                }
                #expect(said["reads"] == [200])
                // Its programs go on, and the log loses lines rather than stop one.
                #expect(try await kubectl("get", "pod", "web").text.contains("1/1"))
                #expect(try await kubectl("exec", "web", "--", "echo", "runs").text == "runs\n")
                try Files.remove(filler)
                // The same node: nothing has to be started again.
                try await eventually(within: .seconds(30), "there is room") {
                    try await kubectl.kubectl("create", "configmap", "after", "--from-literal=a=1").status.isSuccess
                }
                try await kubectl("run", "next", "--image=busybox:1", "--command", "--", "sleep", "1000")
                try await kubectl("wait", "--for=condition=Ready", "pod/next", "--timeout=60s")
                let names = (try await kubectl.get("configmaps")["items"]?.array ?? []).compactMap {
                    $0["metadata", "name"]?.string
                }
                #expect(Set(names).subtracting(Self.written(said)) == ["kube-root-ca.crt", "before", "after"])
                #expect(Self.written(said).subtracting(names) == [])
                try await eventually(within: .seconds(20), "the log goes on") {
                    try await kubectl("logs", "web", "--since=2s").text.contains("a line of a log")
                }
            }
        }
    }

    /// What was answered with 201 before the last page was used.
    private static func written(_ said: JSONValue) -> Set<String> {
        Set((said["written"]?.array ?? []).compactMap(\.string))
    }

    /// Writes until five in a row are refused, and reads between.
    private static let full = #"""
        written, refused, reads, number = [], [], set(), 0
        while len(refused) < 5 and number < 2000:
            number += 1
            status, value, _ = call("POST", maps, config_map("full-%d" % number, data={"a": "x" * 20000}))
            if status == 201:
                written.append("full-%d" % number)
                refused = []
            else:
                refused.append((status, value))
            reads.add(call("GET", maps + "/before")[0])
            reads.add(call("GET", maps + "?limit=5")[0])
        print(json.dumps({"written": written, "statuses": sorted({status for status, _ in refused}),
                          "messages": [value for _, value in refused], "reads": sorted(reads)}))
        """#
}
