import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Services of a real node: addresses, names, rollouts under load, a whole application.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeServiceTests {
    /// A server that knows nothing of pods and ends at once when it is told to: nobody may be talking to it then.
    private let web = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 4
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: busybox:1
                command: [httpd, -f, -p, "8080", -h, /etc]
                env: [{name: ROUND, value: "1"}]
                readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app: web}
          ports: [{port: 80, targetPort: 8080}]
        """

    @Test func `a service is reached by its address, by its name and from its own pods`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(web)
            try await kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let address = try await kubectl.get("service", "web")["spec", "clusterIP"]?.string ?? ""
            let direct = try await CommandRunner.run(["curl", "-sS", "--max-time", "5", "http://\(address)/passwd"])
            #expect(direct.text.contains("root:x:0:0"), "\(direct.errorText)")
            let named = try await kubectl("exec", "deployment/web", "--", "wget", "-qO-", "http://web.default.svc/passwd")
            #expect(named.text.contains("root:x:0:0"))
            let forwarded = try await kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=web", "-o", "json")
            let endpoints = try JSONParser.parse(forwarded.output)["items"]?[0]?["endpoints"]?.array ?? []
            #expect(endpoints.count == 4)
        }
    }

    @Test func `a rolling update under load loses no request`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(web)
            try await kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let address = try await kubectl.get("service", "web")["spec", "clusterIP"]?.string ?? ""
            async let load = CommandRunner.run(["wrk", "-t1", "-c4", "-d6s", "--timeout", "5s", "http://\(address)/passwd"])
            for round in 2...3 {
                try await kubectl("set", "env", "deployment/web", "ROUND=\(round)")
                try await kubectl("rollout", "status", "deployment/web", "--timeout=60s", within: .seconds(90))
            }
            let report = try await load.text
            #expect(report.contains("requests in"), "\(report)")
            #expect(!report.contains("Non-2xx") && !report.contains("Socket errors"), "\(report)")
        }
    }

    @Test func `a guestbook with a database, an ingress, a policy and a job that tidies up works as it is written`() async throws {
        let example = "\(OwnProcess.workingDirectory() ?? ".")/Examples/guestbook"
        try await KubeStage.run { kubectl in
            let made = try await CommandRunner.run(
                ["sh", "\(example)/setup.sh"],
                environment: kubectl.forkless.environment + [
                    "FORKLESS=\(kubectl.forkless.executable)", "OUT=\(kubectl.forkless.path("guestbook"))",
                ], within: .seconds(300))
            try #require(made.status.isSuccess, "\(made.errorText)")
            try await kubectl("apply", "-f", "\(example)/guestbook.yaml")
            try await kubectl(
                "-n", "guestbook", "rollout", "status", "deployment/web", "--timeout=120s", within: .seconds(150))
            let address = try await kubectl.get("-n", "guestbook", "service", "web")["spec", "clusterIP"]?.string ?? ""
            let page = "http://\(address)/cgi-bin/guestbook"
            for message in ["it's me", "spam"] {
                let answer = try await CommandRunner.run(["curl", "-sS", "--max-time", "10", "--data-binary", message, page])
                #expect(answer.text == "", "\(answer.text)\(answer.errorText)")
            }
            try await kubectl("-n", "guestbook", "create", "job", "now", "--from=cronjob/tidy")
            try await kubectl("-n", "guestbook", "wait", "--for=condition=complete", "job/now", "--timeout=60s", within: .seconds(90))
            let read = try await CommandRunner.run(["curl", "-sS", "--max-time", "10", page])
            #expect(read.text == "it's me\n", "\(read.errorText)")
            // The database comes back with what it had.
            try await kubectl("-n", "guestbook", "delete", "pod", "database-0", within: .seconds(90))
            try await kubectl("-n", "guestbook", "rollout", "status", "statefulset/database", "--timeout=60s", within: .seconds(90))
            try await eventually(within: .seconds(30)) {
                try await CommandRunner.run(["curl", "-sS", "--max-time", "10", page]).text == "it's me\n"
            }
            // Only those whom the policy names reach it.
            let stranger = try await kubectl.kubectl(
                "-n", "guestbook", "run", "stranger", "--image=guestbook:1", "--restart=Never", "--rm", "-i", "--",
                "pg_isready", "-h", "database", "-t", "3", within: .seconds(60))
            #expect(stranger.text.contains("no response"), "\(stranger.text)\(stranger.errorText)")
            try await kubectl("delete", "namespace", "guestbook", "--timeout=60s", within: .seconds(90))
        }
    }
}
