import JSON
import Linux
import OCI
import TestKit
import Testing

@testable import CommandLine

/// Jobs, cron jobs, stateful sets and images from a registry, as kubectl shows them.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeWorkloadTests {
    private func job(_ name: String, _ command: String, _ spec: String) -> String {
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: \(name)}
        spec:
          \(spec.split(separator: "\n").joined(separator: "\n  "))
          template:
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 1
              containers:
              - {name: main, image: "busybox:1", command: [sh, -c, '\(command)']}
        """
    }

    @Test func `jobs fail by their policy, work through indexes, are suspended and resumed, and come from schedules`()
        async throws
    {
        try await KubeStage.run { kubectl in
            let policy =
                "backoffLimit: 6\npodFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}"
            try await kubectl.apply(job("policy", "exit 42", policy))
            let indexed = "completionMode: Indexed\ncompletions: 3\nparallelism: 3"
            try await kubectl.apply(job("indexed", "echo $JOB_COMPLETION_INDEX on $(hostname)", indexed))
            try await kubectl.apply(job("later", "true", "suspend: true"))
            try await kubectl("create", "cronjob", "often", "--image=busybox:1", "--schedule=@every 1s", "--", "true")

            try await kubectl("wait", "--for=condition=failed", "job/policy", "--timeout=30s")
            let failed = try await kubectl.get("job", "policy")["status"]
            let condition = failed?["conditions"]?.array?.first { $0["type"] == "Failed" }
            #expect(condition?["reason"] == "PodFailurePolicy")
            #expect(
                condition?["message"]?.string?.contains("failed with exit code 42 matching FailJob rule at index 0")
                    == true)
            #expect(failed?["failed"] == 1)

            try await kubectl("wait", "--for=condition=complete", "job/indexed", "--timeout=30s")
            #expect(try await kubectl.get("job", "indexed")["status", "completedIndexes"] == "0-2")
            let label = "job-name=indexed,batch.kubernetes.io/job-completion-index=1"
            #expect(try await kubectl("logs", "-l", label).text == "1 on indexed-1\n")

            let waiting = try await kubectl("get", "job", "later").text
            #expect(waiting.contains("Suspended   0/1"), "\(waiting)")
            try await kubectl("patch", "job", "later", "-p", "{\"spec\":{\"suspend\":false}}")
            try await kubectl("wait", "--for=condition=complete", "job/later", "--timeout=30s")
            // Events are written beside the status, a moment later.
            for word in ["Suspended", "Resumed", "Completed"] {
                try await eventually(within: .seconds(30), "\(word) is told") {
                    try await kubectl("describe", "job", "later").text.contains(word)
                }
            }

            try await kubectl("wait", "cronjob/often", "--for=jsonpath={.status.lastSuccessfulTime}", "--timeout=30s")
            let made = try await kubectl.get("jobs")["items"]?.array?.contains { item in
                item["metadata", "ownerReferences"]?[0]?["name"] == "often"
            }
            #expect(made == true)
        }
    }

    @Test func `a stateful set rolls by its partition, and its pods keep their claims`() async throws {
        try await KubeStage.run { kubectl in
            func manifest(round: Int, partition: Int) -> String {
                """
                apiVersion: apps/v1
                kind: StatefulSet
                metadata: {name: db}
                spec:
                  replicas: 2
                  serviceName: db
                  selector: {matchLabels: {app: db}}
                  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: \(partition)}}
                  template:
                    metadata: {labels: {app: db}}
                    spec:
                      terminationGracePeriodSeconds: 1
                      containers:
                      - name: main
                        image: busybox:1
                        command: [sh, -c, 'echo round \(round) >> /data/rounds; exec sleep 1000']
                        volumeMounts: [{name: data, mountPath: /data}]
                  volumeClaimTemplates:
                  - metadata: {name: data}
                    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
                """
            }
            /// A pod without a probe is ready before its program has written anything.
            func expect(_ rounds: String, of pod: String) async throws {
                try await eventually(within: .seconds(30), "\(pod) has written \(rounds)") {
                    try await kubectl.kubectl("exec", pod, "--", "cat", "/data/rounds").text == rounds
                }
            }
            try await kubectl.apply(manifest(round: 1, partition: 1))
            try await kubectl("rollout", "status", "statefulset/db", "--timeout=30s")
            try await kubectl.apply(manifest(round: 2, partition: 1))
            let partly = try await kubectl("rollout", "status", "statefulset/db", "--timeout=30s")
            #expect(
                partly.text.contains("partitioned roll out complete: 1 new pods have been updated"), "\(partly.text)")
            try await expect("round 1\n", of: "db-0")
            try await expect("round 1\nround 2\n", of: "db-1")
            try await kubectl.apply(manifest(round: 2, partition: 0))
            try await kubectl("rollout", "status", "statefulset/db", "--timeout=30s")
            try await expect("round 1\nround 2\n", of: "db-0")
            let claims = try await kubectl("get", "pvc").text
            for name in ["data-db-0", "data-db-1"] { #expect(claims.contains("\(name)   Bound"), "\(claims)") }

            try await kubectl.apply(
                """
                apiVersion: v1
                kind: ReplicationController
                metadata: {name: old}
                spec:
                  replicas: 2
                  selector: {app: old}
                  template:
                    metadata: {labels: {app: old}}
                    spec:
                      terminationGracePeriodSeconds: 1
                      containers: [{name: main, image: "busybox:1", command: [sleep, "1000"]}]
                """)
            try await kubectl("wait", "rc/old", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=30s")
            try await kubectl("scale", "rc/old", "--replicas=1")
            try await kubectl("wait", "rc/old", "--for=jsonpath={.status.replicas}=1", "--timeout=30s")
        }
    }

    @Test func `an image of a registry with a password comes with the secret that kubectl makes`() async throws {
        try await DebianRegistry.serving(.password) { registry in
            try await KubeStage.run(flags: ["--plain-http", registry.host]) { kubectl in
                let (archive, name) = (kubectl.forkless.path("private.tar"), "\(registry.host)/team/app:1")
                try TestImage.archive(at: archive, as: "app:1") { $0.cmd = ["sleep", "1000"] }
                let pushed = try await CommandRunner.run([
                    "skopeo", "copy", "-q", "--dest-tls-verify=false",
                    "--dest-creds=\(DebianRegistry.user):\(DebianRegistry.password)", "docker-archive:\(archive)",
                    "docker://\(name)",
                ])
                #expect(pushed.status.isSuccess, "\(pushed.errorText)")
                try await kubectl("run", "stranger", "--image=\(name)")
                try await eventually(within: .seconds(30)) {
                    try await kubectl("get", "pod", "stranger").text.contains("ImagePullBackOff")
                }
                for part in [
                    "Pulling image \"\(name)\"", "Failed to pull image \"\(name)\"", "Error: ErrImagePull",
                    "Error: ImagePullBackOff",
                ] {
                    try await eventually(within: .seconds(30), "\(part) is told") {
                        try await kubectl("describe", "pod", "stranger").text.contains(part)
                    }
                }
                try await kubectl(
                    "create", "secret", "docker-registry", "key", "--docker-server=\(registry.host)",
                    "--docker-username=\(DebianRegistry.user)", "--docker-password=\(DebianRegistry.password)")
                try await kubectl(
                    "patch", "serviceaccount", "default", "-p", "{\"imagePullSecrets\":[{\"name\":\"key\"}]}")
                try await kubectl("run", "friend", "--image=\(name)")
                try await kubectl("wait", "--for=condition=Ready", "pod/friend", "--timeout=30s")
            }
        }
    }
}
