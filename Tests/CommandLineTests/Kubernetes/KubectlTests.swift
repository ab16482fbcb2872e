import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// The real kubectl against a node, as people use it.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubectlTests {
    @Test func `a new cluster has a node that is ready and what every cluster has`() async throws {
        try await KubeStage.run { (kubectl: KubeStage) async throws in
            #expect(try await kubectl("get", "nodes").text.contains(" Ready "))
            #expect(try await kubectl("get", "namespaces", "-o", "name").text.contains("namespace/kube-system"))
            #expect(try await kubectl("version").text.contains("Server Version: v1."))
            #expect(try await kubectl("api-resources").text.contains("deployments"))
            #expect(try await kubectl("explain", "pod.spec.containers.image").text.contains("FIELD: image <string>"))
            #expect(try await kubectl("auth", "can-i", "delete", "pods").text == "yes\n")
            #expect(try await kubectl("get", "--raw", "/readyz").text == "ok")
            #expect(try await kubectl("get", "service", "kubernetes").text.contains("443/TCP"))
        }
    }

    @Test func `a pod runs, is looked at, is talked to and goes`() async throws {
        try await KubeStage.run { kubectl in
            let command = "echo hello; echo oops >&2; while :; do sleep 0.1; done"
            try await kubectl(
                "run", "web", "--image=busybox:1", "--env=COLOR=blue", "--labels=app=web", "--command", "--", "sh", "-c", command)
            try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
            #expect(try await kubectl("get", "pods").text.contains("1/1     Running   0"))
            // A pod without a probe is ready before its program has said anything.
            try await eventually(within: .seconds(30), "both lines are in the log") {
                Set(try await kubectl("logs", "web").text.split(separator: "\n")) == ["hello", "oops"]
            }
            #expect(try await kubectl("exec", "web", "--", "sh", "-c", "echo $COLOR $0 $HOSTNAME").text == "blue sh web\n")
            let failed = try await kubectl.kubectl("exec", "web", "--", "sh", "-c", "echo bad >&2; exit 7")
            #expect(failed.status == .exited(7) && failed.errorText.contains("bad"))
            #expect(try await kubectl("exec", "-i", "web", "--", "cat", input: "through\n").text == "through\n")
            let file = kubectl.forkless.path("copied")
            try Files.replace(file, with: Array("content\n".utf8), mode: 0o644)
            try await kubectl("cp", file, "web:/tmp/copied")
            #expect(try await kubectl("exec", "web", "--", "cat", "/tmp/copied").text == "content\n")
            let described = try await kubectl("describe", "pod", "web").text
            for part in ["Image:", "busybox:1", "Started", "Scheduled"] { #expect(described.contains(part), "\(described)") }
            #expect(try await kubectl("delete", "pod", "web", "--grace-period=1").text.contains("deleted"))
            #expect(try await kubectl.kubectl("get", "pod", "web").errorText.contains("pods \"web\" not found"))
        }
    }

    @Test func `a deployment is made, scaled, rolled, looked back at and undone`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("create", "deployment", "app", "--image=busybox:1", "--replicas=2", "--", "sleep", "1000")
            #expect(try await kubectl("rollout", "status", "deployment/app", "--timeout=30s").text.contains("successfully rolled out"))
            try await kubectl("scale", "deployment/app", "--replicas=3")
            try await kubectl("wait", "deployment/app", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=30s")
            #expect(try await kubectl("get", "deployment", "app").text.contains("3/3     3            3"))
            try await kubectl("set", "env", "deployment/app", "ROUND=2")
            try await kubectl("rollout", "status", "deployment/app", "--timeout=60s", within: .seconds(90))
            let history = try await kubectl("rollout", "history", "deployment/app").text
            #expect(history.contains("1 ") && history.contains("2 "), "\(history)")
            try await kubectl("rollout", "undo", "deployment/app")
            try await kubectl("rollout", "status", "deployment/app", "--timeout=60s", within: .seconds(90))
            let now = try await kubectl.get("deployment", "app")
            #expect(now["spec", "template", "spec", "containers"]?[0]?["env"] == nil)
            #expect(try await kubectl("get", "all").text.contains("replicaset.apps/app-"))
        }
    }

    @Test func `a manifest is applied, changed, compared and applied by the server`() async throws {
        try await KubeStage.run { kubectl in
            let manifest = """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: settings}
                data: {color: blue}
                """
            #expect(try await kubectl.apply(manifest).text == "configmap/settings created\n")
            #expect(try await kubectl.apply(manifest).text == "configmap/settings unchanged\n")
            let changed = manifest.replacing("blue", with: "green")
            let difference = try await kubectl.kubectl(["diff", "-f", "-"], input: changed)
            #expect(difference.status == .exited(1) && difference.text.contains("+  color: green"), "\(difference.errorText)")
            #expect(try await kubectl.apply(changed).text == "configmap/settings configured\n")
            #expect(try await kubectl.apply(changed, "--server-side").text.contains("serverside-applied"))
            let other = try await kubectl.kubectl(
                ["apply", "--server-side", "--field-manager=other", "-f", "-"], input: changed.replacing("green", with: "red"))
            #expect(other.status == .exited(1) && other.errorText.contains("conflict"), "\(other.errorText)")
            try await kubectl("label", "configmap", "settings", "team=rates")
            #expect(try await kubectl("get", "configmap", "-l", "team=rates", "-o", "name").text == "configmap/settings\n")
            let wrong = try await kubectl.kubectl(
                ["apply", "-f", "-"], input: manifest.replacing("\ndata:", with: "\ndta:"))
            #expect(wrong.errorText.contains("unknown field \"dta\""), "\(wrong.errorText)")
        }
    }

    @Test func `a job runs to its end and a cron job makes jobs`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("create", "job", "once", "--image=busybox:1", "--", "true")
            try await kubectl("wait", "--for=condition=complete", "job/once", "--timeout=30s")
            #expect(try await kubectl("get", "jobs").text.contains("Complete   1/1"))
            try await kubectl("create", "cronjob", "often", "--image=busybox:1", "--schedule=* * * * *", "--", "echo", "tick")
            try await kubectl("create", "job", "now", "--from=cronjob/often")
            try await kubectl("wait", "--for=condition=complete", "job/now", "--timeout=30s")
            #expect(try await kubectl("logs", "job/now").text == "tick\n")
        }
    }

    @Test func `who may do what is decided by roles`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl("create", "serviceaccount", "reader")
            try await kubectl("create", "role", "see", "--verb=get,list", "--resource=pods")
            try await kubectl("create", "rolebinding", "see", "--role=see", "--serviceaccount=default:reader")
            let account = "--as=system:serviceaccount:default:reader"
            #expect(try await kubectl("auth", "can-i", "list", "pods", account).text == "yes\n")
            #expect(try await kubectl.kubectl("auth", "can-i", "list", "secrets", account).text == "no\n")
            let token = try await kubectl("create", "token", "reader").text.split(separator: "\n").first.map(String.init) ?? ""
            let server = try await kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}").text
            for (resource, status) in [("pods", "200"), ("secrets", "403")] {
                let answer = try await CommandRunner.run([
                    "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer \(token)",
                    "\(server)/api/v1/namespaces/default/\(resource)",
                ])
                #expect(answer.text == status, "\(resource)")
            }
            #expect(try await kubectl("auth", "whoami", account).text.contains("system:serviceaccount:default:reader"))
            try await kubectl.configure("--user", "jane", "--group", "developers")
            let refused = try await kubectl.kubectl("get", "pods")
            #expect(
                refused.errorText.contains(
                    "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""),
                "\(refused.errorText)")
            try await kubectl.configure()
        }
    }
}
