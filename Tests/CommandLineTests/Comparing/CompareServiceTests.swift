import Comparison
import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// `forkless compare` beside the replicas of a service of the node.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(5))) struct CompareServiceTests {
    private static let echo = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: echo}
        spec:
          replicas: 2
          selector: {matchLabels: {app: echo}}
          template:
            metadata: {labels: {app: echo}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: echo
                image: busybox:1
                command: [nc, -ll, -p, "7000", -e, cat]
                readinessProbe: {tcpSocket: {port: 7000}, periodSeconds: 1}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: echo}
        spec: {selector: {app: echo}, ports: [{port: 7000}]}
        """

    @Test func `a service's replicas are added, measured, killed, and as many as before in the end`() async throws {
        try await KubeStage.run { stage in
            try await stage.apply(Self.echo)
            try await stage("rollout", "status", "deployment/echo", "--timeout=60s")
            let address = try #require(try await stage.get("service", "echo")["spec", "clusterIP"]?.string)
            // The kernel's rules come a moment after the deployment's status says that its pods are ready.
            let way = InternetEndpoint(try #require(IPAddress(address)), 7000)
            try await eventually(within: .seconds(30), "the service answers") {
                (try? await ServiceRung(way).prepare()) != nil
            }
            // Replicas are started and become ready a dozen times over.
            let words = [
                stage.forkless.executable, "compare", "--quick", "--output", "json", "--count", "4", "--repetitions",
                "2", "--rungs", "process", "--service", "\(address):7000", "--service-deployment", "echo", "--", "cat",
            ]
            let outcome = try await CommandRunner.run(
                words, input: Array("a trade\n".utf8), environment: stage.forkless.environment, within: .seconds(200))
            #expect(outcome.status == .exited(0), "\(outcome.errorText)")
            let report = try ComparisonReport(json: JSONParser.parse(outcome.text))
            let service = try #require(report.rungs.first { $0.rung.name == "service" })
            #expect(service.incomplete == nil && service.results.isIdentical, "\(service.failures) \(service.results)")
            #expect(service.setUp.hasPrefix("2 replicas of default/echo"), "\(service.setUp)")
            #expect((service.idleMemory.value?.value ?? 0) > 50_000, "\(service.idleMemory)")
            #expect((service.cpuPerCall.value?.value ?? 0) > 0, "\(service.cpuPerCall)")
            #expect(service.density.value?.points.map(\.instances) == [1, 2, 4, 8], "\(service.density)")
            #expect(service.scale.value?.instances == 4, "\(service.scale)")
            #expect(service.recovery.value != nil, "\(service.recovery)")
            #expect(try await stage.get("deployment", "echo")["spec", "replicas"]?.integer == 2)
        }
    }

    @Test(arguments: ["a//b", "Echo", "echo?x=1", "a/b/c", "../echo"])
    func `what is no name of a deployment is refused`(name: String) async throws {
        let outcome = try await TestForkless().call(
            ["compare", "--service", "127.0.0.1:7000", "--service-deployment", name, "--", "cat"], input: "")
        #expect(outcome.status == .exited(125) && outcome.errorText.contains("not a name, or a namespace and a name"), "\(outcome.errorText)")
    }
}
