import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Requests that no honest client sends, at a real node: each has Kubernetes' answer, nothing of it is stored, and what they cost
/// is given back.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeHostileTests {
    /// A request by name, the status and a part of the message, or of the warning, that it has to be answered with.
    private struct Expected {
        var name: String
        var status: Int64
        var text: String

        init(_ name: String, _ status: Int64, _ text: String) {
            (self.name, self.status, self.text) = (name, status, text)
        }
    }

    @Test func `what makes no sense is refused in Kubernetes' words, and leaves nothing`() async throws {
        try await KubeStage.run { kubectl in
            _ = try await kubectl.raw(Self.deployment)
            let before = try Self.residentBytes(try kubectl.node())
            let answers = try JSONParser.parse(Array(try await kubectl.raw(Self.requests, within: .seconds(300)).utf8))
            for expected in Self.expected {
                let answer = answers[expected.name]
                #expect(
                    answer?["status"]?.integer == expected.status,
                    "\(expected.name): \(answer.map { JSONWriter.text($0) } ?? "")")
                let said = "\(answer?["message"]?.string ?? "") \(answer.map { JSONWriter.text($0) } ?? "")"
                #expect(said.contains(expected.text), "\(expected.name): \(said.prefix(600))")
            }
            #expect(answers.object?.count == Self.expected.count)
            // It answers as before, and nothing of all that is there.
            let maps = try await kubectl.get("configmaps")
            #expect((maps["items"]?.array ?? []).compactMap { $0["metadata", "name"]?.string } == ["kube-root-ca.crt"])
            let deployment = try await kubectl.get("deployment", "web")
            #expect(deployment["spec", "replicas"] == 0 && deployment["metadata", "generation"] == 1)
            // The largest body is 3 MiB, and an object in memory some twenty times as large as its text: 256 MiB hold what
            // few of them need at once, and what the allocator keeps of it.
            try await eventually(within: .seconds(30), "the node's memory is back in bounds") {
                try Self.residentBytes(try kubectl.node()) < before + 256 << 20
            }
        }
    }

    /// Resident memory of a process that no file backs.
    static func residentBytes(_ pid: Int32) throws -> Int {
        for line in try Files.readText("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("RssAnon:") {
            return (Int(line.split(separator: " ")[1]) ?? 0) << 10
        }
        return 0
    }

    private static let deployment = """
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox:1"}]}}
        status, value, _ = call("POST", deployments, {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}})
        assert status == 201, value
        """

    /// Prints all answers by name. Where a body is a secret of its line, `expected` below says what it is about.
    private static let requests = #"""
        answers = {}

        def ask(name, *request, **options):
            status, value, warnings = call(*request, **options)
            answers[name] = {"status": status, "message": value.get("message") if isinstance(value, dict) else value,
                             "details": value.get("details") if isinstance(value, dict) else None, "warnings": warnings}
            if isinstance(value, dict) and isinstance(answers[name]["details"], dict):
                answers[name]["details"]["causes"] = answers[name]["details"].get("causes", [])[:3]

        yaml_type, protobuf = "application/yaml", "application/vnd.kubernetes.protobuf"
        web = deployments + "/web"
        json_patch, merge_patch = "application/json-patch+json", "application/merge-patch+json"
        strategic, apply = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
        owner = {"apiVersion": "apps/v1", "kind": "Deployment"}

        ask("3 MiB", "POST", maps, config_map("large", data={"a": "x" * (3 << 20)}))
        ask("2 MiB of data", "POST", maps, config_map("large", data={"a": "x" * (2 << 20)}))
        ask("100 MB", "POST", maps, b" " * 100_000_000)
        ask("deep JSON", "POST", maps, '{"data":' * 10000 + "1" + "}" * 10000)
        ask("deep lists of YAML", "POST", maps, "[" * 10000, type=yaml_type)
        ask("deep maps of YAML", "POST", maps, "\n".join(" " * depth + "a:" for depth in range(1500)), type=yaml_type)
        ask("deep keys of YAML", "POST", maps, "? - " * 10000, type=yaml_type)
        # A schema in a schema in a schema: `not` is field 28 of JSONSchemaProps, which is field 1 of a validation.
        schema = b""
        for _ in range(10000):
            schema = fields(28, schema)
        version = fields(1, b"v1") + fields(4, fields(1, schema))
        body = b"k8s\0" + fields(1, fields(1, b"apiextensions.k8s.io/v1") + fields(2, b"CustomResourceDefinition"))
        body += fields(2, fields(2, fields(7, version)))
        ask("deep protobuf", "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body, type=protobuf)
        ask("protobuf that ends early", "POST", maps, b"k8s\0\x0a\x7f", type=protobuf)
        million = json.dumps({"metadata": {"labels": {"%x" % n: "" for n in range(1_000_000)}}}, separators=(",", ":"))
        ask("a million labels", "POST", maps, million)
        wrong = json.dumps({"metadata": {"name": "l", "labels": {"-%x" % n: "-" for n in range(200_000)}}},
                           separators=(",", ":"))
        ask("200000 wrong labels", "POST", maps, wrong, timeout=110)
        bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for n in range(1, 10):
            bomb += "a%d: &a%d [%s]\n" % (n, n, ",".join(["*a%d" % (n - 1)] * 10))
        ask("a bomb of anchors", "POST", maps, bomb, type=yaml_type)
        ask("an anchor in itself", "POST", maps, "a: &a [*a]", type=yaml_type)
        ask("broken YAML", "POST", maps, "a: [", type=yaml_type)
        ask("broken JSON", "POST", maps, '{"a":')
        ask("no body", "POST", maps, "")
        ask("XML", "POST", maps, "<a/>", type="application/xml")
        ask("another kind", "POST", maps, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}})

        ask("a test that fails", "PATCH", web, [{"op": "test", "path": "/spec/replicas", "value": 9}], type=json_patch)
        ask("a move into itself", "PATCH", web, [{"op": "move", "from": "/spec", "path": "/spec/x"}], type=json_patch)
        ask("an unknown operation", "PATCH", web, [{"op": "turn", "path": "/spec"}], type=json_patch)
        ask("no list of operations", "PATCH", web, {"a": 1}, type=json_patch)
        grow = [{"op": "add", "path": "/metadata/annotations", "value": {"a": "x" * 1000}}]
        grow += [{"op": "copy", "from": "/metadata/annotations", "path": "/metadata/annotations/k%d" % n} for n in range(40)]
        ask("copies of copies", "PATCH", web, grow, type=json_patch)
        ask("20000 operations", "PATCH", web, [{"op": "test", "path": "/kind", "value": "x"}] * 20000, type=json_patch)
        ask("a merge of a list", "PATCH", web, [1], type=merge_patch)
        ask("a merge that makes no object of the kind", "PATCH", web,
            {"spec": {"template": {"spec": {"containers": "x"}}}}, type=merge_patch)
        ask("an unknown directive", "PATCH", web, {"spec": {"$patch": "turn"}}, type=strategic)
        ask("an element without its key", "PATCH", web,
            {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, type=strategic)
        ask("apply without a manager", "PATCH", web, owner, type=apply)
        ask("apply over another's field", "PATCH", web + "?fieldManager=me", {**owner, "spec": {"replicas": 3}}, type=apply)
        ask("apply with managed fields", "PATCH", web + "?fieldManager=me",
            {**owner, "metadata": {"managedFields": [{"manager": "x"}]}}, type=apply)
        ask("a patch of no type", "PATCH", web, "{}", type="application/json")

        ask("a broken selector of labels", "GET", maps + "?labelSelector=a+in+(b")
        ask("a long selector", "GET", maps + "?labelSelector=" + "a," * 20000 + "!")
        ask("a broken selector of fields", "GET", maps + "?fieldSelector=a")
        ask("an unknown field to select by", "GET", maps + "?fieldSelector=spec.x%3D1")
        ask("a revision that is none", "GET", maps + "?resourceVersion=abc")
        ask("a revision to come", "GET", maps + "?resourceVersion=999999999")
        ask("a token that is none", "GET", maps + "?limit=1&continue=zzz")

        ask("unknown, strict", "POST", maps + "?fieldValidation=Strict", config_map("u", dota={}))
        ask("unknown, warn", "POST", maps + "?fieldValidation=Warn&dryRun=All", config_map("u", dota={}))
        ask("unknown, ignore", "POST", maps + "?fieldValidation=Ignore&dryRun=All", config_map("u", dota={}))
        ask("unknown, nonsense", "POST", maps + "?fieldValidation=Never", config_map("u"))
        twice = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"u"},"data":{"a":"1","a":"2"}}'
        ask("twice, strict", "POST", maps + "?fieldValidation=Strict", twice)
        ask("twice, warn", "POST", maps + "?fieldValidation=Warn&dryRun=All", twice)
        ask("twice in YAML, strict", "POST", maps + "?fieldValidation=Strict",
            "metadata: {name: u}\ndata: {a: '1', a: '2'}", type=yaml_type)

        ask("an old version", "PUT", web, {**owner, "metadata": {"name": "web", "resourceVersion": "1"}, "spec": {
            "replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "busybox:1"}]}}}})
        ask("what is not there", "GET", maps + "/none")
        ask("what is not served", "GET", "/api/v1/namespaces/default/nothings")
        ask("a method that is none", "POST", maps + "/x", {})
        print(json.dumps(answers))
        """#

    private static let expected = [
        Expected("3 MiB", 413, "Request entity too large: limit is 3145728"),
        Expected("2 MiB of data", 422, "Too long: may not be more than 1048576 bytes"),
        Expected("100 MB", 413, "Request entity too large: limit is 3145728"),
        Expected("deep JSON", 400, "expected at most 512 levels"),
        Expected("deep lists of YAML", 400, "error decoding YAML"),
        Expected("deep maps of YAML", 400, "error decoding YAML"),
        Expected("deep keys of YAML", 400, "error decoding YAML"),
        Expected("deep protobuf", 400, "more than 100 messages within each other"),
        Expected("protobuf that ends early", 400, "the object provided is unrecognized"),
        Expected("a million labels", 413, "Request entity too large: limit is 3145728"),
        Expected("200000 wrong labels", 422, "metadata.labels: Invalid value"),
        Expected("a bomb of anchors", 400, "excessive aliasing"),
        Expected("an anchor in itself", 400, "error decoding YAML"),
        Expected("broken YAML", 400, "error decoding YAML"),
        Expected("broken JSON", 400, "json parse error"),
        Expected("no body", 400, "the object provided is unrecognized"),
        Expected("XML", 415, "the body of the request was in an unknown format"),
        Expected("another kind", 400, "does not match the expected kind"),
        Expected("a test that fails", 422, "testing value /spec/replicas failed: test failed"),
        Expected("a move into itself", 422, "/spec/x is inside of /spec"),
        Expected("an unknown operation", 400, "Unexpected kind: turn"),
        Expected("no list of operations", 400, "cannot unmarshal object"),
        Expected("copies of copies", 413, "copy and move operations touch more than"),
        Expected("20000 operations", 413, "10000"),
        Expected("a merge of a list", 400, "error decoding patch"),
        Expected("a merge that makes no object of the kind", 422, "cannot unmarshal string"),
        Expected("an unknown directive", 422, "unknown patch type: turn"),
        Expected("an element without its key", 422, "does not contain declared merge key: name"),
        Expected("apply without a manager", 422, "fieldManager: Required value"),
        Expected("apply over another's field", 409, "Apply failed with 1 conflict"),
        Expected("apply with managed fields", 400, "metadata.managedFields must be nil"),
        Expected("a patch of no type", 415, "application/strategic-merge-patch+json"),
        Expected("a broken selector of labels", 400, "unable to parse requirement: found '', expected: ',' or ')'"),
        Expected("a long selector", 400, "found '', expected: identifier"),
        Expected("a broken selector of fields", 400, "invalid selector"),
        Expected("an unknown field to select by", 400, "is not a known field selector"),
        Expected("a revision that is none", 422, "resourceVersion"),
        Expected("a revision to come", 504, "Too large resource version"),
        Expected("a token that is none", 400, "continue key is not valid"),
        Expected("unknown, strict", 400, "strict decoding error: unknown field \"dota\""),
        Expected("unknown, warn", 201, "299 - \\\"unknown field"),
        Expected("unknown, ignore", 201, "\"warnings\":[]"),
        Expected("unknown, nonsense", 422, "fieldValidation"),
        Expected("twice, strict", 400, "duplicate field \"data.a\""),
        Expected("twice, warn", 201, "data.a"),
        Expected("twice in YAML, strict", 400, "already set in map"),
        Expected("an old version", 409, "the object has been modified"),
        Expected("what is not there", 404, "configmaps \"none\" not found"),
        Expected("what is not served", 404, "the server could not find the requested resource"),
        Expected("a method that is none", 405, "the server does not allow this method"),
    ]
}
