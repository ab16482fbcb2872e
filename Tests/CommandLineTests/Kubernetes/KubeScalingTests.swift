import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Autoscalers of a real node: by what containers use, and by what comes through the gateway, down to zero and back.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(6))) struct KubeScalingTests {
    /// Uses as much CPU as it may until somebody makes /tmp/idle.
    private static let busy = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: busy}
        spec:
          selector: {matchLabels: {app: busy}}
          template:
            metadata: {labels: {app: busy}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:1
                command: [sh, -c, "while :; do if [ -e /tmp/idle ]; then sleep 1; fi; done"]
                resources: {requests: {cpu: 50m}, limits: {cpu: 100m}}
        ---
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: busy}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: busy}
          maxReplicas: 2
          metrics:
          - type: Resource
            resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}
          - type: ContainerResource
            containerResource: {name: cpu, container: main, target: {type: AverageValue, averageValue: 40m}}
          behavior: {scaleDown: {stabilizationWindowSeconds: 1}}
        """

    private static let web = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, annotations: {forkless.dev/scale-to-zero: "true"}}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: web, image: "busybox:1", command: [httpd, -f, -p, "8080", -h, /etc]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web}
        spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
        ---
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: web}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
          minReplicas: 0
          maxReplicas: 2
          metrics:
          - type: Object
            object:
              describedObject: {apiVersion: v1, kind: Service, name: web}
              metric: {name: concurrency}
              target: {type: Value, value: "100"}
          - type: Pods
            pods: {metric: {name: requests-per-second}, target: {type: AverageValue, averageValue: "1"}}
          behavior: {scaleDown: {stabilizationWindowSeconds: 0}}
        """

    @Test func `programs are scaled by what they use, and by what they are asked, from zero and back`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(Self.busy)
            try await kubectl.apply(Self.web)
            let port: Int64 = try await eventuallySome("the ingress says where it is") {
                let place = try await kubectl.get("ingress", "web")["status", "loadBalancer", "ingress"]?[0]
                return place?["ports"]?[0]?["port"]?.integer
            }
            func size(_ name: String) async throws -> Int64? {
                try await kubectl.get("deployment", name)["spec", "replicas"]?.integer
            }
            func ask() async throws -> String {
                try await CommandRunner.run(["curl", "-sS", "--max-time", "25", "http://127.0.0.1:\(port)/passwd"]).text
            }
            try await eventually(within: .seconds(60), "who uses much gets company") { try await size("busy") == 2 }
            try await eventually(within: .seconds(60), "who is asked nothing goes") { try await size("web") == 0 }
            // A pod that is still there answers, and nobody is woken.
            try await eventually(within: .seconds(60), "nobody is there") {
                try await kubectl("get", "pods", "-l", "app=web", "-o", "name").text.isEmpty
            }
            try await kubectl("rollout", "status", "deployment/busy", "--timeout=30s")
            for pod in try await kubectl("get", "pods", "-l", "app=busy", "-o", "name").text.split(separator: "\n") {
                try await kubectl("exec", String(pod), "--", "touch", "/tmp/idle")
            }
            #expect(try await ask().contains("root:x:0:0"), "the first request waits for a pod")
            #expect(try await size("web") ?? 0 > 0)
            try await eventually(within: .seconds(90), "who is asked much gets company") {
                for _ in 0..<20 { _ = try await ask() }
                return try await size("web") == 2
            }
            // The target is scaled before the autoscaler's status says by what.
            try await eventually(within: .seconds(60), "what is measured is told") {
                for _ in 0..<20 { _ = try await ask() }
                let measured = try await kubectl.get("hpa", "web")["status", "currentMetrics"]?.array ?? []
                return measured.contains { $0["pods", "metric"]?["name"] == "requests-per-second" }
            }
            try await eventually(within: .seconds(90), "who uses little goes") { try await size("busy") == 1 }
            let old = try await kubectl("get", "horizontalpodautoscalers.v1.autoscaling", "busy", "-o", "json").output
            #expect(try JSONParser.parse(old)["spec", "targetCPUUtilizationPercentage"] == 60)
        }
    }
}
