import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// What a cluster of one machine outlives.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeFaultTests {
    @Test func `pods go on when the node is killed, and the next one knows them`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("create", "deployment", "app", "--image=busybox:1", "--replicas=3", "--", "sleep", "1000")
            try await kubectl("rollout", "status", "deployment/app", "--timeout=30s")
            let before = try await pods(kubectl)
            #expect(before.count == 3)
            try await kubectl.killNode()
            try await kubectl.startNode()
            try await kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=app", "--timeout=30s")
            #expect(try await pods(kubectl) == before)
            // One that ended while nobody looked is replaced once.
            try await kubectl("delete", "pod", "-l", "app=app", "--grace-period=1", within: .seconds(60))
            try await kubectl("wait", "deployment/app", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=30s")
            // The status of the deployment may be the one from before.
            try await eventually(within: .seconds(60), "three others are there") {
                try await pods(kubectl).filter { !$0.contains("  ") }.count == 3
            }
            #expect(try await pods(kubectl).count == 3)
        }
    }

    /// Names with the containers that run for them, and how often they were started.
    private func pods(_ kubectl: KubeStage) async throws -> Set<String> {
        let list = try await kubectl.get("pods", "-l", "app=app")
        return Set(
            (list["items"]?.array ?? []).filter { $0["metadata", "deletionTimestamp"] == nil }.map { pod in
                let status = pod["status", "containerStatuses"]?[0]
                return "\(pod["metadata", "name"]?.string ?? "") \(status?["containerID"]?.string ?? "") \(status?["restartCount"]?.integer ?? -1)"
            })
    }

    @Test func `no object is lost when the node is killed under load`() async throws {
        try await KubeStage.run { kubectl in
            // Each line that is printed was answered before the kill.
            let program = """
                import sys
                from kubernetes import client, config
                config.load_kube_config()
                api = client.CoreV1Api()
                for number in range(100000):
                    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c%d" % number), data={"n": str(number)})
                    try:
                        api.create_namespaced_config_map("default", body, _request_timeout=5)
                    except Exception:
                        break
                    print(number, flush=True)
                """
            async let written = kubectl.python(program)
            // Until then Python has only read its library.
            try await eventually(within: .seconds(50), "objects are made") {
                try await kubectl("get", "configmaps", "-o", "name").text.split(separator: "\n").count > 100
            }
            try await kubectl.killNode()
            let answered = try await written.split(separator: "\n").count
            #expect(answered > 10)
            try await kubectl.startNode()
            let list = try await kubectl.get("configmaps")
            let names = Set((list["items"]?.array ?? []).compactMap { $0["metadata", "name"]?.string })
            for number in 0..<answered { #expect(names.contains("c\(number)")) }
        }
    }

    @Test func `a container that is killed is back, and one that ignores its end is killed`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("run", "web", "--image=busybox:1", "--command", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
            try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
            // The first process of a container can be ended from outside only.
            let pid = try #require(try await kubectl.process("trap '' TERM"))
            try ProcessFD(pid: pid).signal(Signal.kill)
            try await kubectl("wait", "pod/web", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "--timeout=30s")
            try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
            try await kubectl("delete", "pod", "web", "--grace-period=2", within: .seconds(60))
            #expect(try await kubectl.process("trap '' TERM") == nil)
        }
    }

    @Test func `an image that is missing is said, and the pod waits`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("run", "gone", "--image=none:1", "--image-pull-policy=Never")
            try await eventually(within: .seconds(30)) {
                try await kubectl("get", "pod", "gone").text.contains("ErrImageNeverPull")
            }
            let invalid = try await kubectl.kubectl(["apply", "--validate=false", "-f", "-"], input: """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: bad}
                spec: {replicas: -1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: []}}}
                """)
            for part in ["spec.replicas: Invalid value: -1", "`selector` does not match template `labels`", "spec.template.spec.containers: Required value"] {
                #expect(invalid.errorText.contains(part), "\(invalid.errorText)")
            }
        }
    }
}
