import Engine
import JSON
import Linux
import Networking
import OCI

/// One container's spec as the spec of a pod.
struct PodTemplateExport {
    private let container: ExportedContainer
    private let name: String
    private let image: String
    /// Gives the claim that stands for a named volume.
    var claim: (String) -> String = { $0 }
    /// What a pod cannot have as it was.
    private(set) var remarks: [String] = []
    private var volumes: [JSONValue] = []
    private var mounts: [JSONValue] = []

    init(_ container: ExportedContainer, name: String, image: String) {
        self.container = container
        self.name = name
        self.image = image
    }

    private var spec: ContainerSpec { container.spec }

    mutating func pod() -> JSONValue {
        var pod: JSONValue = ["containers": []]
        pod["containers"] = [main()]
        // What was run by hand knew nothing of an API.
        pod["automountServiceAccountToken"] = false
        if let seconds = spec.stopTimeoutSeconds { pod["terminationGracePeriodSeconds"] = .integer(Int64(seconds)) }
        if let hostname = spec.hostname { pod["hostname"] = .string(ManifestNames.label(hostname)) }
        network(&pod)
        if !volumes.isEmpty { pod["volumes"] = .array(volumes) }
        return pod
    }

    private mutating func main() -> JSONValue {
        var main: JSONValue = ["name": .string(name), "image": .string(image)]
        let words = spec.words
        // Without an entrypoint of its own the spec says nothing of the image's: what it says are arguments.
        let entry = spec.entrypoint.map { $0.isEmpty ? Array(words.prefix(1)) : $0 } ?? []
        if !entry.isEmpty { main["command"] = .array(entry.map(JSONValue.string)) }
        let rest = words.dropFirst(entry.count)
        if !rest.isEmpty { main["args"] = .array(rest.map(JSONValue.string)) }
        if let directory = spec.directory { main["workingDir"] = .string(directory) }
        let environment = spec.environment.compactMap(Self.variable)
        if !environment.isEmpty { main["env"] = .array(environment) }
        let ports = Self.ports(of: spec)
        if !ports.isEmpty {
            main["ports"] = .array(
                ports.map {
                    [
                        "name": .string($0.name), "containerPort": .integer(Int64($0.inside)),
                        "protocol": .string($0.transport),
                    ]
                })
        }
        resources(&main)
        security(&main)
        if let probe = probe() { main["readinessProbe"] = probe }
        if spec.isInteractive { main["stdin"] = true }
        if spec.hasTerminal {
            main["stdin"] = true
            main["tty"] = true
        }
        mount()
        if !mounts.isEmpty { main["volumeMounts"] = .array(mounts) }
        sayWhatIsLeftOut()
        return main
    }

    /// "$(NAME)" in a value would be replaced there.
    private static func variable(_ text: String) -> JSONValue? {
        guard let mark = text.firstIndex(of: "="), mark != text.startIndex else { return nil }
        let value = String(text[text.index(after: mark)...]).replacing("$(", with: "$$(")
        return ["name": .string(String(text[..<mark])), "value": .string(value)]
    }

    private func resources(_ main: inout JSONValue) {
        var limits: JSONValue = [:]
        if let bytes = spec.memoryBytes { limits["memory"] = .string(Self.quantity(bytes)) }
        if let thousandths = spec.milliCPUs { limits["cpu"] = .string("\(thousandths)m") }
        if limits.object?.isEmpty == false { main["resources"] = ["limits": limits] }
    }

    private static func quantity(_ bytes: Int) -> String {
        for (unit, shift) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return String(bytes)
    }

    private mutating func security(_ main: inout JSONValue) {
        var context: JSONValue = ["allowPrivilegeEscalation": .bool(!spec.noNewPrivileges)]
        if spec.isReadOnly { context["readOnlyRootFilesystem"] = true }
        var capabilities: JSONValue = [:]
        for (field, names) in [("add", spec.addedCapabilities), ("drop", spec.droppedCapabilities)] where !names.isEmpty {
            capabilities[field] = .array(
                names.map { .string($0.uppercased().hasPrefix("CAP_") ? String($0.uppercased().dropFirst(4)) : $0.uppercased()) })
        }
        if capabilities.object?.isEmpty == false { context["capabilities"] = capabilities }
        context["seccompProfile"] = ["type": spec.hasSystemCallFilter ? "RuntimeDefault" : "Unconfined"]
        if let user = spec.user {
            let parts = user.split(separator: ":", omittingEmptySubsequences: false).map { $0 == "root" ? 0 : Int64($0) }
            if let uid = parts[0] {
                context["runAsUser"] = .integer(uid)
                if parts.count > 1, let gid = parts[1] { context["runAsGroup"] = .integer(gid) }
            } else {
                remarks.append(
                    "it runs as \(user), and a pod names users by number: give runAsUser, or USER in the image decides")
            }
        }
        main["securityContext"] = context
    }

    /// A check that says how well it is decides whether others reach it; nothing here ended a container for it.
    private mutating func probe() -> JSONValue? {
        guard let check = spec.healthcheck else { return nil }
        let command: [String]
        switch check.test {
        case .inherited, .none: return nil
        case .command(let words): command = words
        case .shell(let line): command = ["/bin/sh", "-c", line]
        }
        func seconds(_ nanoseconds: Int64, _ fallback: Int64) -> JSONValue {
            .integer(nanoseconds == 0 ? fallback : max(1, min(nanoseconds / 1_000_000_000, 86_400)))
        }
        var probe: JSONValue = ["exec": ["command": .array(command.map(JSONValue.string))]]
        probe["periodSeconds"] = seconds(check.interval, 30)
        probe["timeoutSeconds"] = seconds(check.timeout, 30)
        probe["failureThreshold"] = .integer(Int64(check.retries == 0 ? 3 : check.retries))
        if check.startPeriod > 0 { probe["initialDelaySeconds"] = seconds(check.startPeriod, 0) }
        return probe
    }

    private mutating func mount() {
        for (index, mount) in spec.mounts.enumerated() {
            let volume = "volume-\(index)"
            var isReadOnly = false
            switch mount {
            case .bind(let source, _, let readOnly):
                isReadOnly = readOnly
                volumes.append(["name": .string(volume), "hostPath": ["path": .string(source)]])
                remarks.append("\(source) is a path of this machine: put it on the cluster's, or use a claim or a ConfigMap")
            case .temporary(_, let bytes):
                let size = bytes ?? ContainerMount.defaultTemporaryBytes
                volumes.append([
                    "name": .string(volume),
                    "emptyDir": ["medium": "Memory", "sizeLimit": .string(Self.quantity(size))],
                ])
            case .volume(let name?, _, let readOnly):
                isReadOnly = readOnly
                volumes.append([
                    "name": .string(volume), "persistentVolumeClaim": ["claimName": .string(claim(name))],
                ])
                remarks.append("the volume \(name) becomes a claim of 1Gi, which begins empty")
            case .volume(nil, _, let readOnly):
                isReadOnly = readOnly
                volumes.append(["name": .string(volume), "emptyDir": [:]])
            }
            var entry: JSONValue = ["name": .string(volume), "mountPath": .string(mount.target)]
            if isReadOnly { entry["readOnly"] = true }
            mounts.append(entry)
        }
        if let bytes = spec.sharedMemoryBytes {
            volumes.append([
                "name": "shared-memory", "emptyDir": ["medium": "Memory", "sizeLimit": .string(Self.quantity(bytes))],
            ])
            mounts.append(["name": "shared-memory", "mountPath": "/dev/shm"])
        }
    }

    private mutating func network(_ pod: inout JSONValue) {
        switch spec.network {
        case .host: pod["hostNetwork"] = true
        case .isolated: break
        case .container(let other):
            remarks.append("it shares the network of \(other): make it another container of that pod")
        case .pod, .joined, nil: break
        }
        var configuration: JSONValue = [:]
        if !spec.nameServers.isEmpty {
            configuration["nameservers"] = .array(spec.nameServers.map { .string($0.description) })
        }
        if let domains = spec.searchDomains { configuration["searches"] = .array(domains.map(JSONValue.string)) }
        if let options = spec.resolverOptions {
            configuration["options"] = .array(
                options.map { option in
                    let parts = option.split(separator: ":", maxSplits: 1)
                    return parts.count == 2
                        ? ["name": .string(String(parts[0])), "value": .string(String(parts[1]))] : ["name": .string(option)]
                })
        }
        if configuration.object?.isEmpty == false { pod["dnsConfig"] = configuration }
        var aliases: [JSONValue] = []
        for host in spec.extraHosts {
            if let address = host.address {
                aliases.append(["ip": .string(address.description), "hostnames": [.string(host.name)]])
            } else {
                remarks.append("\(host.name) stood for this machine; on a cluster a pod moves between machines")
            }
        }
        if !aliases.isEmpty { pod["hostAliases"] = .array(aliases) }
    }

    private mutating func sayWhatIsLeftOut() {
        let left: [(Bool, String)] = [
            (!spec.limits.isEmpty, "--ulimit: a cluster's nodes set limits, pods do not"),
            (spec.pidsLimit != nil, "--pids-limit: the kubelet sets it for all pods of a node"),
            (spec.cpus != nil, "--cpuset-cpus: the kubelet's CPU manager hands processors out"),
            (spec.cpuShares != nil, "--cpu-shares: weights follow from resources.requests.cpu"),
            (!spec.devices.isEmpty, "--device: devices come through a device plugin"),
            (spec.usesInit, "--init: set shareProcessNamespace, or put an init into the image"),
            (spec.stopSignal != nil, "--stop-signal: a pod's containers get SIGTERM, or the image's STOPSIGNAL"),
            (spec.logBytes != nil, "--log-size: the kubelet rotates logs"),
        ]
        remarks += left.filter(\.0).map(\.1)
    }

    // Ports.

    struct Port {
        var name: String
        /// Of the container.
        var inside: UInt16
        /// Of the service.
        var outside: UInt16
        /// "TCP" or "UDP".
        var transport: String
    }

    /// Published ports, then those that only others in the same networks reach; none twice.
    static func ports(of spec: ContainerSpec) -> [Port] {
        var seen: Set<String> = []
        var ports: [Port] = []
        func add(_ transport: String, _ inside: UInt16, _ outside: UInt16) {
            let name = "\(transport)-\(outside)"
            guard seen.insert(name).inserted else { return }
            ports.append(Port(name: name, inside: inside, outside: outside, transport: transport.uppercased()))
        }
        for port in spec.ports {
            add(port.transport.rawValue, port.containerPort, port.hostPort == 0 ? port.containerPort : port.hostPort)
        }
        let published = Set(spec.ports.map { "\($0.transport.rawValue)-\($0.containerPort)" })
        for port in spec.exposedPorts where !published.contains("\(port.transport.rawValue)-\(port.number)") {
            add(port.transport.rawValue, port.number, port.number)
        }
        return ports
    }
}
