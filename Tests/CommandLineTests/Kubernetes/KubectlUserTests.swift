import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// What somebody tries with kubectl who comes from another cluster, as far as it was wrong once.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(5))) struct KubectlUserTests {
    private static let database = """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db}
        spec:
          selector: {matchLabels: {app: db}}
          serviceName: db
          template:
            metadata: {labels: {app: db}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:1
                command: [sleep, "1000"]
                resources: {requests: {ephemeral-storage: 1Mi}}
                volumeMounts: [{name: data, mountPath: /data}]
          volumeClaimTemplates:
          - metadata: {name: data}
            spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
        """

    @Test func `a node says what it has, a volume that is made has its mode, a scale is shown`() async throws {
        try await KubeStage.run { kubectl in
            let node = try await kubectl.get("nodes")["items"]?[0]
            #expect(node?["status", "capacity"]?["ephemeral-storage"]?.string?.hasPrefix("0") == false, "\(node ?? .null)")
            try await kubectl.apply(Self.database)
            try await kubectl("rollout", "status", "statefulset/db", "--timeout=30s")
            #expect(try await kubectl("exec", "db-0", "--", "stat", "-c", "%a", "/data").text == "777\n")
            let events = try await kubectl("get", "events").text
            #expect(!events.contains("set the mode"), "\(events)")
            let scale = try await kubectl("get", "statefulset", "db", "--subresource=scale").text
            #expect(scale.contains("DESIRED   AVAILABLE") && scale.contains("1         1"), "\(scale)")
            let endpoints = try await kubectl("get", "endpoints")
            #expect(
                endpoints.errorText.contains("Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
                "\(endpoints.errorText)")
            try await kubectl("autoscale", "statefulset", "db", "--max=3", "--cpu-percent=80")
            #expect(try await kubectl("explain", "hpa", "--api-version=autoscaling/v1").text.contains("VERSION:    v1"))
            try await kubectl("get", "horizontalpodautoscalers.v1.autoscaling", "db")
        }
    }
}
