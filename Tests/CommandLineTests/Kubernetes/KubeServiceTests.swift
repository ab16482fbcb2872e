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

    /// The address of the service "web", once it answers: the kernel's rules come a moment after the status of the
    /// deployment says that its pods are ready.
    private func address(_ kubectl: KubeStage) async throws -> String {
        let address = try await kubectl.get("service", "web")["spec", "clusterIP"]?.string ?? ""
        try await eventually(within: .seconds(30), "the service answers") {
            let answer = try await CommandRunner.run(["curl", "-sS", "--max-time", "5", "http://\(address)/passwd"])
            return answer.text.contains("root:x:0:0")
        }
        return address
    }

    @Test func `a service is reached by its address, by its name and from its own pods`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(web)
            try await kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            _ = try await address(kubectl)
            let named = try await kubectl("exec", "deployment/web", "--", "wget", "-qO-", "http://web.default.svc/passwd")
            #expect(named.text.contains("root:x:0:0"))
            try await eventually(within: .seconds(30), "all four pods are endpoints") {
                let slices = try await kubectl.get("endpointslices", "-l", "kubernetes.io/service-name=web")
                return slices["items"]?[0]?["endpoints"]?.array?.count == 4
            }
        }
    }

    @Test func `a rolling update under load loses no request`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(web)
            try await kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let address = try await address(kubectl)
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

    /// Asks for names as programs do, by the C library, and for records as they are (RFC 1035), over UDP and TCP. Says what differs
    /// from what is expected.
    private let asking = #"""
        import socket,struct,sys
        def names(n):
          try: return sorted({a[4][0] for a in socket.getaddrinfo(n,80,type=socket.SOCK_STREAM)})
          except OSError: return []
        server=[l.split()[1] for l in open("/etc/resolv.conf") if l.startswith("nameserver")][0]
        def ask(n,kind,tcp=False):
          q=struct.pack(">6H",7,256,1,0,0,0)+b"".join(bytes([len(l)])+l.encode() for l in n.split("."))+b"\0"+struct.pack(">2H",kind,1)
          if tcp:
            c=socket.create_connection((server,53),5); c.sendall(struct.pack(">H",len(q))+q); f=c.makefile("rb"); d=f.read(struct.unpack(">H",f.read(2))[0])
          else:
            c=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); c.settimeout(5); c.sendto(q,(server,53)); d=c.recv(4096)
          flags,_,answers=struct.unpack(">3H",d[2:8]); return flags&15,answers,bool(flags&512)
        one,pod,ready,many=sys.argv[1:5]; failed=0
        def expect(what,got,wanted):
          global failed
          if got!=wanted: failed+=1; print(what,got,"and not",wanted)
        for n in ("one","one.default","one.default.svc","one.default.svc.cluster.local","one.default.svc.cluster.local."): expect(n,names(n),[one])
        expect("alias",names("alias"),[one])
        expect("headless",names("headless"),[ready]); expect("early",names("early"),[pod])
        expect("a pod by its subdomain",names("waits.early"),[pod]); expect("nobody",names("nobody.default.svc.cluster.local."),[])
        dashed=ready.replace(".","-")
        expect("a pod by its address",names(dashed+".default.pod.cluster.local"),[ready])
        expect("the name of a pod",socket.gethostbyaddr(pod)[0].split(".")[0],"waits")
        expect("SRV",ask("_http._tcp.headless.default.svc.cluster.local",33),(0,1,False))
        expect("AAAA of what has none",ask("one.default.svc.cluster.local",28),(0,0,False))
        expect("what is not there",ask("nobody.default.svc.cluster.local",1),(3,0,False))
        expect("a long answer by UDP is cut",ask("many.default.svc.cluster.local",1)[2],True)
        expect("and whole by TCP",ask("many.default.svc.cluster.local",1,True),(0,int(many),False))
        u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); u.settimeout(5)
        u.sendto(b"hello",("datagrams",5300)); expect("datagrams",u.recv(100),b"hello")
        print("failed" if failed else "all")
        """#

    @Test func `a pod finds services, pods and ports by their names`() async throws {
        try await KubeStage.run { kubectl in
            let many = 120
            let addresses = (1...many).map { "\"10.99.1.\($0)\"" }
            try await kubectl.apply(
                PodServer.code() + PodServer.manifest("one") + """
                    ---
                    {apiVersion: v1, kind: Service, metadata: {name: alias}, spec: {type: ExternalName, externalName: one.default.svc.cluster.local}}
                    ---
                    {apiVersion: v1, kind: Service, metadata: {name: headless}, spec: {clusterIP: None, selector: {app: one}, ports: [{name: http, port: 8080}]}}
                    ---
                    {apiVersion: v1, kind: Service, metadata: {name: early}, spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: waits}, ports: [{port: 1}]}}
                    ---
                    {apiVersion: v1, kind: Service, metadata: {name: many}, spec: {clusterIP: None, ports: [{port: 1}]}}
                    ---
                    {apiVersion: v1, kind: Service, metadata: {name: datagrams}, spec: {selector: {app: one}, ports: [{port: 5300, protocol: UDP, targetPort: 5353}]}}
                    ---
                    apiVersion: discovery.k8s.io/v1
                    kind: EndpointSlice
                    metadata: {name: many-1, labels: {kubernetes.io/service-name: many}}
                    addressType: IPv4
                    ports: [{port: 1}]
                    endpoints: [\(addresses.map { "{addresses: [\($0)]}" }.joined(separator: ", "))]
                    ---
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: waits, labels: {app: waits}}
                    spec:
                      hostname: waits
                      subdomain: early
                      terminationGracePeriodSeconds: 1
                      containers: [{name: a, image: "busybox:1", command: [sleep, "1000"], readinessProbe: {exec: {command: ["false"]}}}]
                    """)
            try await kubectl("rollout", "status", "deployment/one", "--timeout=60s", within: .seconds(90))
            let waits = try await eventuallySome("the pod that is not ready has an address") {
                try await kubectl.get("pod", "waits")["status", "podIP"]?.string
            }
            let ready = try await kubectl.get("pods", "-l", "app=one")["items"]?[0]?["status", "podIP"]?.string ?? ""
            let service = try await kubectl.get("service", "one")["spec", "clusterIP"]?.string ?? ""
            try await eventually(within: .seconds(60), "what a pod asks is answered") {
                let said = try await kubectl.kubectl(
                    "exec", "-i", "deployment/one", "--", "/usr/bin/python3", "-c", asking, service, waits, ready, "\(many)")
                if said.text != "all\n" { print("not yet: \(said.text)\(said.errorText)") }
                return said.text == "all\n"
            }
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
            // The kernel's rules come a moment after the status of the deployment.
            try await eventually(within: .seconds(30), "the guestbook answers") {
                try await CommandRunner.run(["curl", "-sSf", "--max-time", "10", page]).status.isSuccess
            }
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
