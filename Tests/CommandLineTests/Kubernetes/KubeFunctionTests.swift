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
            let refused = try await kubectl.kubectl("delete", "functions", "--all")
            #expect(!refused.status.isSuccess && refused.errorText.contains("Lambda API"), "\(refused.errorText)")
            _ = try await kubectl.forkless("fn", "rm", "Count_Words")
            try await eventually { try await kubectl("get", "functions", "-o", "name").text.isEmpty }
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
            let answer = try await CommandRunner.run(["curl", "-sS", "--max-time", "5", "http://\(address):18099/passwd"])
            #expect(answer.text.contains("root:x:0:0"), "\(answer.errorText)")
            _ = try await kubectl.forkless("rm", "-f", "By_Hand")
        }
    }

    @Test func `copies of a function are pods of a cluster, here of another node`() async throws {
        try await KubeStage.run { kubectl in
            // The second node has the first one as its cluster, and no door of its own.
            let other = try TestForkless()
            let environment = KubeStage.quiet.filter { !$0.contains("KUBE") } + ["FORKLESS_KUBE_LISTEN=off"]
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
