import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Functions as the Kubernetes API shows and reaches them, and pods as the copies of functions.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeFunctionTests {
    @Test func `functions of the Lambda API are objects of the Kubernetes API`() async throws {
        try await KubeStage.run { kubectl in
            _ = try await kubectl.forkless("fn", "deploy", "Count_Words", "--", "wc", "-w")
            try await eventually {
                try await kubectl("get", "functions").text.contains("forkless.stdio")
            }
            let object = try await kubectl.get("functions")["items"]?[0]
            #expect(object?["spec", "functionName"] == "Count_Words")
            #expect(object?["status", "state"] == "Active")
            let source = try await kubectl.kubectl(
                "create", "-f", "-",
                input: "{apiVersion: forkless.dev/v1, kind: EventSource, metadata: {name: a}, spec: {functionName: a}}")
            #expect(!source.status.isSuccess && source.errorText.contains("Lambda API"), "\(source.errorText)")
            // What the Lambda API changes is seen, and what kubectl changes is seen there.
            _ = try await kubectl.forkless("fn", "deploy", "Count_Words", "--memory", "256m", "--", "wc", "-c")
            try await eventually {
                let spec = try await kubectl.get("functions")["items"]?[0]?["spec"]
                return spec?["memoryMB"] == 256 && spec?["handler"] == "wc -c"
            }
            let name = object?["metadata", "name"]?.string ?? ""
            try await kubectl("patch", "function", name, "--type=merge", "-p", "{\"spec\":{\"handler\":\"wc -l\"}}")
            let counted = try await kubectl.forkless("fn", "invoke", "Count_Words", "--payload", "\"a\"")
            #expect(counted.text.hasPrefix("0"), "\(counted.text)\(counted.errorText)")
            _ = try await kubectl.forkless("fn", "rm", "Count_Words")
            try await eventually { try await kubectl("get", "functions", "-o", "name").text.isEmpty }
        }
    }

    /// Answers for itself what asks it, without any library.
    private static let bootstrap = """
        #!/usr/bin/python3
        import json,os,urllib.request as u
        base="http://%s/2018-06-01/runtime/invocation/"%os.environ["AWS_LAMBDA_RUNTIME_API"]
        while True:
          r=u.urlopen(base+"next"); e=json.load(r); i=r.headers["Lambda-Runtime-Aws-Request-Id"]
          a={"statusCode":200,"body":"%s %s\\n"%(os.environ.get("WORD","none"),e.get("rawPath","direct"))}
          u.urlopen(base+i+"/response",data=json.dumps(a).encode()).read()
        """

    private func function(_ change: (inout JSONValue) -> Void = { _ in }) -> String {
        var object: JSONValue = [
            "apiVersion": "forkless.dev/v1", "kind": "Function", "metadata": ["name": "hello"],
            "spec": [
                "runtime": "provided.al2023", "handler": "hello", "files": ["bootstrap": .string(Self.bootstrap)],
                "environment": ["WORD": "one"], "reservedConcurrency": 3,
            ],
        ]
        change(&object)
        return JSONWriter.text(object)
    }

    @Test func `a function is declared, changed and deleted with kubectl`() async throws {
        try await KubeStage.run { kubectl in
            func invoke() async throws -> String {
                try await kubectl.forkless("fn", "invoke", "hello", "--payload", "{}").text
            }
            #expect(try await kubectl.apply(function(), "--dry-run=server").text.contains("created (server dry run)"))
            #expect(try await kubectl("get", "functions").text == "", "a dry run declares nothing")
            try await kubectl.apply(function())
            let object = try await kubectl.get("function", "hello")
            #expect(object["status", "state"] == "Active" && object["status", "arn"]?.string?.hasSuffix(":function:hello") == true)
            #expect(try await invoke().contains("one direct"))
            #expect(try await kubectl.apply(function()).text.contains("unchanged"))
            // Seen and called as any other, also through an ingress.
            try await kubectl.apply(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: hello, annotations: {forkless.dev/function: hello}}
                spec: {ports: [{name: http, port: 80}]}
                \(PodServer.ingress("hello", [("hello.example.com", [("/", "Prefix", "hello")])]))
                """)
            let port = try await eventuallySome("the ingress is served") {
                try await kubectl.get("ingress", "hello")["status", "loadBalancer", "ingress"]?[0]?["ports"]?[0]?["port"]?.integer
            }
            func ask() async throws -> String {
                try await CommandRunner.run(
                    ["curl", "-sS", "--max-time", "10", "-H", "Host: hello.example.com", "http://127.0.0.1:\(port)/a"]).text
            }
            try await eventually("the ingress leads to the function") { try await ask() == "one /a\n" }
            try await kubectl.apply(function { $0["spec", "environment"] = ["WORD": "two"] })
            try await eventually { try await ask() == "two /a\n" }
            // What the Lambda API changes is in the object, whose code stays.
            _ = try await kubectl.forkless("fn", "scale", "hello", "--reserved", "7")
            try await eventually { try await kubectl.get("function", "hello")["spec", "reservedConcurrency"] == 7 }
            #expect(try await kubectl.get("function", "hello")["spec", "files", "bootstrap"] != nil)
            try await kubectl("delete", "function", "hello")
            let gone = try await kubectl.forkless("fn", "invoke", "hello", "--payload", "{}")
            #expect(!gone.status.isSuccess && gone.errorText.contains("not found"), "\(gone.errorText)")
            #expect(try await kubectl("get", "functions").text == "")
        }
    }

    @Test func `a function that cannot be is refused with its field`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("create", "namespace", "other")
            try await kubectl.apply(function())
            for (change, field, why) in [
                ({ $0["spec", "timeoutSeconds"] = 9000 }, "spec.timeoutSeconds: Invalid value: 9000", "less than or equal to 900"),
                ({ $0["spec", "handler"] = nil }, "spec.handler: Required value", "without an `image`"),
                ({ $0["spec", "runtime"] = "cobol" }, "spec.runtime: Invalid value: \"cobol\"", "runtimes that this machine has"),
                ({ $0["spec", "environment"] = ["AWS_REGION": "x"] }, "spec.environment: Invalid value", "reserved keys"),
                ({ $0["spec", "freshness"] = "never" }, "spec.freshness: Invalid value: \"never\"", "reuse, fresh"),
                ({ $0["spec", "reservedConcurrency"] = 100_000 }, "spec.reservedConcurrency: Invalid value: 100000", "minimum value"),
                ({ $0["spec", "image"] = "busybox:1" }, "spec.files: Invalid value", "may not be specified when `image`"),
                ({ $0["spec", "provisionedConcurrency"] = 1 }, "spec.provisionedConcurrency: Forbidden", "versions and aliases"),
                ({ $0["spec", "functionName"] = "another" }, "spec.functionName: Invalid value: \"another\"", "field is immutable"),
                (
                    { $0["metadata", "namespace"] = "other"; $0["spec", "functionName"] = "hello" },
                    "spec.functionName: Forbidden", "function hello is declared by default/hello"
                ),
                ({ $0["metadata", "name"] = "codeless"; $0["spec", "files"] = nil }, "spec.files: Required value", "needs its code"),
                (
                    { $0["spec", "files"] = nil; $0["spec", "zip"] = "bm8gemlw" }, "spec.zip: Invalid value", "zip"
                ),
            ] as [((inout JSONValue) -> Void, String, String)] {
                for flags in [["--dry-run=server"], []] {
                    let arguments = ["apply", "-f", "-"] + flags
                    // Only making it ready shows that an archive is none.
                    if field.hasPrefix("spec.zip"), !flags.isEmpty { continue }
                    let refused = try await kubectl.kubectl(arguments, input: function(change))
                    #expect(
                        !refused.status.isSuccess && refused.errorText.contains(field) && refused.errorText.contains(why),
                        "\(flags) \(field): \(refused.errorText)\(refused.text)")
                }
            }
            #expect(try await kubectl.forkless("fn", "invoke", "hello", "--payload", "{}").text.contains("one direct"), "nothing has changed")
            let explained = try await kubectl("explain", "function.spec.files").text
            #expect(explained.contains("The code as texts by names of files"), "\(explained)")
            // A namespace takes its functions along.
            try await kubectl.apply(function { $0["metadata", "namespace"] = "other"; $0["metadata", "name"] = "second" })
            try await kubectl("delete", "namespace", "other", "--timeout=30s")
            let gone = try await kubectl.forkless("fn", "invoke", "second", "--payload", "{}")
            #expect(!gone.status.isSuccess, "\(gone.text)")
        }
    }

    @Test func `what was run by hand is exported, and the cluster runs it as it is`() async throws {
        try await KubeStage.run { kubectl in
            let made = try await kubectl.forkless(
                "run", "-d", "--name", "By_Hand", "--restart", "always", "-p", "18099:8080", "busybox:1",
                "httpd", "-f", "-p", "8080", "-h", "/etc")
            try #require(made.status.isSuccess, "\(made.errorText)")
            let exported = try await kubectl.forkless("export", "k8s")
            #expect(exported.text.contains("kind: Deployment") && exported.text.contains("kind: Service"), "\(exported.errorText)")
            try await kubectl.apply(exported.text)
            try await kubectl("rollout", "status", "deployment/by-hand", "--timeout=30s")
            let address = try await kubectl.get("service", "by-hand")["spec", "clusterIP"]?.string ?? ""
            // Without a probe the pod is ready before its program listens.
            try await eventually(within: .seconds(30), "the service answers") {
                let answer = try await CommandRunner.run(
                    ["curl", "-sS", "--max-time", "5", "http://\(address):18099/passwd"])
                return answer.text.contains("root:x:0:0")
            }
            _ = try await kubectl.forkless("rm", "-f", "By_Hand")
        }
    }

    @Test func `copies of a function are pods of a cluster, here of another node`() async throws {
        try await KubeStage.run { kubectl in
            // The second node has the first one as its cluster, and no door of its own.
            let other = try TestForkless()
            let environment = KubeStage.quiet.filter { !$0.contains("KUBE") } + ["FORKLESS_KUBERNETES_LISTEN=off"]
            try await other.withNode("--function-cluster", kubectl.kubeconfig, environment: environment) {
                for text in ["one two", "three"] {
                    let answer = try await other("run", "-i", "--rung", "function", "busybox:1", "wc", "-w", input: text)
                    #expect(answer.text == "\(text.split(separator: " ").count)\n", "\(answer.errorText)")
                }
                let pods = try await kubectl.get("pods", "-l", "app.kubernetes.io/managed-by=forkless")["items"]?.array ?? []
                #expect(!pods.isEmpty)
            }
        }
    }
}
