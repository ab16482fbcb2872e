import Engine
import JSON
import KubeSchema
import Linux
import Networking
import OCI
import TestKit
import Testing

@testable import Graduation

/// Manifests for what was run by hand.
@Suite(.timeLimit(.minutes(1))) struct ContainerExportTests {
    private func spec(_ image: String = "shop/web:1.2", _ words: [String] = ["serve"]) -> ContainerSpec {
        var spec = ContainerSpec(program: words.first ?? "", arguments: Array(words.dropFirst()))
        // As recorded: of an image without an entrypoint.
        spec.entrypoint = []
        spec.image = ContainerImage(image)
        return spec
    }

    private func export(_ containers: [ExportedContainer]) throws -> ExportedManifests {
        let manifests = try ContainerExport(containers).manifests()
        for object in manifests.objects { try check(object) }
        return manifests
    }

    /// As a server with `--validate=strict` looks at it.
    private func check(_ object: JSONValue) throws {
        let parts = object["apiVersion"]!.string!.split(separator: "/").map(String.init)
        let id = GroupVersionKind(
            group: parts.count == 2 ? parts[0] : "", version: parts.last!, kind: object["kind"]!.string!)
        let kind = try #require(Schema.kubernetes.kind(id))
        var decoded = try ObjectDecoder.decode(object, as: kind, of: .kubernetes, fieldValidation: .strict).json
        Defaulting.apply(to: &decoded, of: kind, in: .kubernetes)
        decoded["metadata"]!["namespace"] = "default"
        try Validation(kind, in: .kubernetes).checkNew(decoded)
    }

    @Test func `what restarts and serves becomes a Deployment with a Service`() throws {
        var web = spec()
        web.restart = .always
        web.ports = [PublishedPort(.tcp, hostPort: 8080, containerPort: 80)]
        web.environment = ["PATH=/bin", "GREETING=a $(NAME)=b"]
        web.memoryBytes = 64 << 20
        web.milliCPUs = 250
        let result = try export([ExportedContainer(name: "web", spec: web, phase: .running)])
        #expect(result.objects.map { $0["kind"]!.string! } == ["Deployment", "Service"])
        #expect(result.remarks == [])
        let container = try #require(result.objects[0]["spec", "template", "spec", "containers"]?[0])
        #expect(container["command"] == ["serve"])
        #expect(container["env"]?[1] == ["name": "GREETING", "value": "a $$(NAME)=b"])
        #expect(container["resources"] == ["limits": ["memory": "64Mi", "cpu": "250m"]])
        #expect(result.objects[1]["spec", "ports"]?[0]?["port"] == 8080)
        #expect(result.objects[1]["spec", "type"] == "LoadBalancer")
    }

    @Test func `what ends becomes a Job`() throws {
        var batch = spec("batch", ["/bin/report", "--day", "1"])
        batch.restart = .onFailure(retries: 3)
        let result = try export([ExportedContainer(name: "Nightly_Report", spec: batch, phase: .exited)])
        #expect(result.objects.map { $0["kind"]!.string! } == ["Job"])
        #expect(result.objects[0]["metadata", "name"] == "nightly-report")
        #expect(result.objects[0]["spec", "backoffLimit"] == 3)
        #expect(result.objects[0]["spec", "template", "spec", "restartPolicy"] == "OnFailure")
    }

    @Test func `a volume that two containers share becomes one claim`() throws {
        var a = spec()
        a.mounts = [.volume(name: "data", target: "/data", isReadOnly: false)]
        var b = a
        b.mounts = [.volume(name: "data", target: "/in", isReadOnly: true)]
        let result = try export([
            ExportedContainer(name: "writer", spec: a, phase: .exited), ExportedContainer(name: "reader", spec: b, phase: .exited),
        ])
        #expect(result.objects.map { $0["kind"]!.string! } == ["PersistentVolumeClaim", "Job", "Job"])
    }

    @Test func `a program on the machine's own files is refused with the way to an image`() throws {
        let container = ExportedContainer(name: "tool", spec: ContainerSpec(program: "/usr/bin/tool"), phase: .running)
        let failure = try #require(throws: ExportFailure.self) { try ContainerExport([container]).manifests() }
        #expect(failure.description.contains("forkless pack"))
    }

    @Test func `what a pod cannot have is said`() throws {
        var odd = spec()
        odd.user = "www-data"
        odd.limits = [ContainerLimit(name: "nofile", soft: 100, hard: 100)]
        odd.devices = [ContainerDevice(source: "/dev/fuse", target: "/dev/fuse")]
        odd.mounts = [.bind(source: "/srv", target: "/srv", isReadOnly: true)]
        odd.ports = [PublishedPort(.tcp, hostAddress: IPAddress("127.0.0.1")!, hostPort: 81, containerPort: 80)]
        let remarks = try export([ExportedContainer(name: "odd", spec: odd, phase: .running)]).remarks.joined(separator: "\n")
        for word in ["www-data", "--ulimit", "--device", "/srv", "port 81 was open to this machine alone"] {
            #expect(remarks.contains(word), "\(word) in \(remarks)")
        }
    }

    @Test func `what has no network has none on the cluster`() throws {
        var alone = spec()
        alone.network = .isolated
        alone.restart = .always
        let result = try export([ExportedContainer(name: "alone", spec: alone, phase: .running)])
        #expect(result.objects.map { $0["kind"]!.string! } == ["Deployment", "NetworkPolicy"] && result.remarks == [])
        #expect(result.objects[1]["spec", "policyTypes"] == ["Ingress", "Egress"])
    }

    @Test func `a container is found on the cluster by the names that it had`() throws {
        var database = spec("db")
        database.restart = .always
        database.exposedPorts = [ContainerPort(5432)!]
        database.network = .joined([.init(network: "back", aliases: ["db", "web", "Not_A_Label"])])
        var worker = spec("worker")
        worker.restart = .always
        worker.network = .joined([.init(network: "back")])
        let result = try export([
            ExportedContainer(name: "Main_DB", spec: database, phase: .running), ExportedContainer(name: "web", spec: worker, phase: .running),
        ])
        let services = result.objects.filter { $0["kind"] == "Service" }
        #expect(services.map { $0["metadata", "name"]!.string! } == ["main-db", "web", "db"])
        #expect(services[2]["spec", "selector"] == ["app.kubernetes.io/name": "main-db"] && services[2]["spec", "ports"] == services[0]["spec", "ports"])
        #expect(services[1]["spec", "clusterIP"] == "None", "it has a name and no port")
        // What cannot be, or is another's name, is said.
        for name in ["Main_DB", "web", "Not_A_Label"] { #expect(result.remarks.contains { $0.contains("others call it \(name);") }, "\(name)") }
        #expect(result.remarks.count == 3)
    }

    @Test func `pods' own containers are told from others`() {
        #expect(ExportedContainer.isOfPod(name: "k8s_a_b_0", labels: ["io.kubernetes.pod.uid": "a"]))
        #expect(!ExportedContainer.isOfPod(name: "k8s_mine", labels: [:]) && !ExportedContainer.isOfPod(name: "a", labels: ["io.kubernetes.pod.uid": "a"]))
    }

    @Test func `names become labels, and stay apart`() {
        var names = ManifestNames()
        #expect(names.name(for: "Web_1.front") == "web-1-front")
        #expect(names.name(for: "web-1-front") == "web-1-front-2")
        #expect(names.name(for: "___") == "program")
        #expect(ManifestNames.label(String(repeating: "a", count: 300)).utf8.count == 52)
    }

    @Test(arguments: 1...200) func `what is exported is valid, whatever the container was given`(seed: UInt64) throws {
        var chance = SeededChance(seed: seed)
        func maybe(_ body: () -> Void) { if Bool.random(using: &chance) { body() } }
        var spec = spec("registry/app:\(seed)", ["/bin/app", "$(X)", "- y", "a: b"])
        maybe { spec.restart = [.always, .unlessStopped, .onFailure(retries: 2)].randomElement(using: &chance)! }
        maybe { spec.ports = (1...3).map { PublishedPort(.tcp, hostPort: $0 == 1 ? 0 : 9000 + $0, containerPort: 80 + $0) } }
        maybe { spec.exposedPorts = [ContainerPort(53, .udp)!, ContainerPort(81)!] }
        maybe { spec.user = ["0", "1000:1000", "nobody"].randomElement(using: &chance) }
        maybe { spec.mounts = [.temporary(target: "/t", bytes: 4096), .volume(name: nil, target: "/v", isReadOnly: false)] }
        maybe { spec.mounts.append(.volume(name: "Data_\(seed)", target: "/w", isReadOnly: true)) }
        maybe { spec.healthcheck = Healthcheck(test: .shell("test -e /ok"), interval: 1, timeout: 1, startPeriod: 1) }
        maybe { spec.addedCapabilities = ["cap_net_admin"] }
        maybe { spec.hasTerminal = true }
        maybe { spec.environment = ["A=", "B=1\n2", "no mark", "=x"] }
        maybe { spec.nameServers = [IPAddress("10.0.0.1")!] }
        maybe { spec.network = .host }
        maybe { spec.extraHosts = [.init(name: "db", address: IPAddress("10.0.0.2"))] }
        maybe { spec.stopTimeoutSeconds = 3 }
        maybe { spec.sharedMemoryBytes = 1 << 20 }
        let result = try export([ExportedContainer(name: "app \(seed)", spec: spec, phase: .running)])
        let again = try export([ExportedContainer(name: "app \(seed)", spec: spec, phase: .running)])
        #expect(ManifestText.text(result) == ManifestText.text(again))
    }

    @Test func `the text is YAML that any reader takes for the same`() async throws {
        var odd = spec("app", ["/bin/sh", "-c", "echo \"on\"; exit 0", "on", "1e3", "0o7", "", "~", "é\t\u{1}"])
        odd.environment = ["A=yes", "B=- x", "C=line\nline", "D=012"]
        let result = try export([ExportedContainer(name: "a\nb", spec: odd, phase: .exited)])
        let script = "import sys,json,yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))"
        let run = try await CommandRunner.run(
            ["/usr/bin/python3", "-c", script], input: Array(ManifestText.text(result).utf8))
        #expect(try JSONParser.parse(run.output) == .array(result.objects), "\(run.errorText)")
    }
}
