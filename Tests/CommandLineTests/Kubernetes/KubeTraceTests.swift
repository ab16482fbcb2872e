import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Requests through the gateway and the Kubernetes API of a real node in its log, and the size of a deployment.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(5))) struct KubeTraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    private func lines(_ kubectl: KubeStage, _ id: String) async throws -> [JSONValue] {
        try await eventuallySome("the log has \(id)") {
            let log = kubectl.forkless.run + "/node.log"
            let found = try await CommandRunner.run(["jq", "-c", "select(.request_id == \"\(id)\")", log])
            // The node may be about to write the last line, of which jq has then seen a part.
            guard found.status.isSuccess else { return nil }
            let lines = try found.text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
            return lines.isEmpty ? nil : lines
        }
    }

    private static let limited = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: idle}
        spec:
          selector: {matchLabels: {app: idle}}
          template:
            metadata: {labels: {app: idle}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: app, image: "busybox:1", command: [sleep, "1000"], resources: {limits: {memory: 256Mi, cpu: "1"}}}
        """

    @Test func `a request through the gateway and one of kubectl are found in the log by their ids`() async throws {
        try await KubeStage.run(flags: ["--log-format", "json", "--log-calls"]) { kubectl in
            try await kubectl.apply(
                PodServer.code() + PodServer.manifest("one") + PodServer.ingress("web", [("shop.example.com", [("/", "Prefix", "one")])]))
            try await kubectl.apply(Self.limited)
            for name in ["one", "idle"] { try await kubectl("rollout", "status", "deployment/\(name)", "--timeout=60s", within: .seconds(90)) }
            let port: Int64 = try await eventuallySome("the ingress says where it is") {
                try await kubectl.get("ingress", "web")["status", "loadBalancer", "ingress"]?[0]?["ports"]?[0]?["port"]?.integer
            }
            func ask(_ more: String...) async throws -> String {
                try await CommandRunner.run(
                    ["curl", "-sS", "--max-time", "20", "-H", "Host: shop.example.com"] + more + ["http://127.0.0.1:\(port)/x"]
                ).text
            }
            func field(_ name: String, _ text: String) -> String? {
                text.split(separator: "\n").first { $0.lowercased().hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
            }
            // The gateway hears of the pod a moment after the status of its deployment.
            try await eventually(within: .seconds(30), "the pod is known") { try await ask().hasPrefix("one GET /x") }
            let traced = try await ask(
                "-H", "traceparent: 00-\(Self.trace)-00f067aa0ba902b7-01", "-H", "tracestate: a=1,b=2", "-H", "X-Request-Id: order-7")
            let line = try #require(try await lines(kubectl, "order-7").first)
            #expect(line["part"] == "ingress" && line["status"] == 200 && line["trace_id"]?.string == Self.trace)
            #expect(field("traceparent", traced) == "00-\(Self.trace)-\(line["span_id"]?.string ?? "?")-01", "\(traced)")
            #expect(field("tracestate", traced) == "a=1,b=2" && field("x-request-id", traced) == "order-7")
            #expect(field("x-amzn-trace-id", traced)?.hasPrefix("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=") == true)
            // An id that could be trouble is replaced, and new ones are made.
            let odd = try await ask("-H", "X-Request-Id: a b<script>", "-H", "traceparent: 00-zz")
            let id = try #require(field("x-request-id", odd))
            #expect(!id.contains("script") && field("traceparent", odd)?.count == 55)
            #expect(try await lines(kubectl, id).count == 1)
            // kubectl shows the audit id by which the log knows its request.
            let version = try await kubectl("get", "--raw", "/version", "-v=8")
            let audit = try #require(version.errorText.firstMatch(of: /Audit-Id: ([^\s,]+)/)?.1)
            let request = try #require(try await lines(kubectl, String(audit)).first)
            #expect(request["part"] == "kubernetes" && request["path"]?.string?.hasPrefix("/version") == true && request["status"] == 200)
            try await advise(kubectl)
        }
    }

    private func advise(_ kubectl: KubeStage) async throws {
        let words = ["recommend", "--min-time", "1s", "--output", "json", "default/idle/app"]
        let advised: JSONValue = try await eventuallySome("the deployment has advice") {
            let outcome = try await kubectl.forkless.call(words + ["--watch", "2s"])
            try #require(outcome.status.isSuccess, "\(outcome.errorText)")
            let advice = try JSONParser.parse(outcome.output)["workloads"]?[0]
            return advice?["changes"]?.array?.count == 2 ? advice : nil
        }
        #expect(advised["kind"] == "deployment" && advised["rung"] == "service")
        let applied = try await kubectl.forkless.call(words + ["--apply", "--watch", "2s"])
        #expect(applied.status.isSuccess, "\(applied.text) \(applied.errorText)")
        let limits = try await kubectl.get("deployment", "idle")["spec", "template", "spec", "containers"]?[0]?["resources", "limits"]
        #expect(limits?["memory"] == "16Mi" && limits?["cpu"] == "50m", "\(String(describing: limits))")
    }
}
