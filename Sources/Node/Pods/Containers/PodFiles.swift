import JSON
import KubeObjects
import Linux
import Networking

/// What a pod's host name is, and what its files of /etc say. Pure.
struct PodFiles: Sendable {
    let pod: KubeObject
    let settings: PodSettings
    /// The machine's resolver file.
    let machineResolver: String

    private var spec: JSONValue { pod.spec }
    private var usesHostNetwork: Bool { spec["hostNetwork"]?.bool ?? false }

    /// The short name: the pod's, cut where the kernel takes no more.
    var shortName: String {
        if let override = spec["hostnameOverride"]?.string, !override.isEmpty { return override }
        if let name = spec["hostname"]?.string, !name.isEmpty { return name }
        if usesHostNetwork { return settings.nodeName }
        var name = String(pod.name.prefix(63))
        while name.hasSuffix("-") || name.hasSuffix(".") { name.removeLast() }
        return name.isEmpty ? "pod" : name
    }

    /// "hostname.subdomain.namespace.svc.cluster.local"; nil without a subdomain.
    var fullName: String? {
        guard let subdomain = spec["subdomain"]?.string, !subdomain.isEmpty else { return nil }
        return "\(shortName).\(subdomain).\(pod.namespace ?? "default").svc.\(settings.clusterDomain)"
    }

    func hostname() throws(ConfigProblem) -> String {
        guard spec["setHostnameAsFQDN"]?.bool ?? false, let fullName else { return shortName }
        guard fullName.utf8.count <= 64 else {
            throw ConfigProblem(
                "failed to construct FQDN from pod hostname and cluster domain, FQDN \(fullName) is too long (64 characters is the max, \(fullName.utf8.count) characters requested)"
            )
        }
        return fullName
    }

    /// hosts(5), as the kubelet writes it.
    func hosts(_ addresses: [String], machine: String) -> String {
        var text: String
        if usesHostNetwork {
            text = "# Kubernetes-managed hosts file (host network).\n" + machine
            if !text.hasSuffix("\n") { text += "\n" }
        } else {
            text = """
                # Kubernetes-managed hosts file.
                127.0.0.1\tlocalhost
                ::1\tlocalhost ip6-localhost ip6-loopback
                fe00::0\tip6-localnet
                fe00::0\tip6-mcastprefix
                fe00::1\tip6-allnodes
                fe00::2\tip6-allrouters

                """
            for address in addresses {
                text += "\(address)\t" + [fullName, shortName].compactMap(\.self).joined(separator: "\t") + "\n"
            }
        }
        let aliases = spec["hostAliases"]?.array ?? []
        if !aliases.isEmpty { text += "\n# Entries added by HostAliases.\n" }
        for alias in aliases {
            guard let address = alias["ip"]?.string else { continue }
            text +=
                address + "\t" + (alias["hostnames"]?.array ?? []).compactMap(\.string).joined(separator: "\t") + "\n"
        }
        return text
    }

    /// resolv.conf(5): by the pod's dnsPolicy, with its dnsConfig added.
    func resolver() -> String {
        var servers: [String] = []
        var (searches, options): ([String], [String]) = ([], [])
        let machine = ResolverFile(machineResolver)
        let policy = spec["dnsPolicy"]?.string ?? "ClusterFirst"
        let isOfCluster = policy == "ClusterFirstWithHostNet" || policy == "ClusterFirst" && !usesHostNetwork
        if isOfCluster, let cluster = settings.clusterDNS {
            servers = ["\(cluster)"]
            let domain = settings.clusterDomain
            searches = ["\(pod.namespace ?? "default").svc.\(domain)", "svc.\(domain)", domain] + machine.searchDomains
            options = ["ndots:5"]
        } else if policy != "None" {
            servers = machine.nameServers.map(\.description)
            searches = machine.searchDomains
            options = machine.options
        }
        let config = spec["dnsConfig"]
        for server in config?["nameservers"]?.array?.compactMap(\.string) ?? [] where !servers.contains(server) {
            servers.append(server)
        }
        for search in config?["searches"]?.array?.compactMap(\.string) ?? [] where !searches.contains(search) {
            searches.append(search)
        }
        for option in config?["options"]?.array ?? [] {
            guard let name = option["name"]?.string else { continue }
            options.removeAll { $0 == name || $0.hasPrefix(name + ":") }
            options.append(option["value"]?.string.map { "\(name):\($0)" } ?? name)
        }
        var lines = servers.map { "nameserver " + $0 }
        if !searches.isEmpty { lines.append("search " + searches.joined(separator: " ")) }
        if !options.isEmpty { lines.append("options " + options.joined(separator: " ")) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The ports of the machine that lead to the pod.
    func hostPorts() throws(ConfigProblem) -> [PublishedPort] {
        guard !usesHostNetwork else { return [] }
        var ports: [PublishedPort] = []
        let containers = ["initContainers", "containers"].flatMap { spec[$0]?.array ?? [] }
        for port in containers.flatMap({ $0["ports"]?.array ?? [] }) {
            guard let host = port["hostPort"]?.integer, host != 0 else { continue }
            let transport = (port["protocol"]?.string ?? "TCP").lowercased()
            guard let kind = PublishedPort.Transport(rawValue: transport),
                let inner = port["containerPort"]?.integer.flatMap(UInt16.init(exactly:)),
                let outer = UInt16(exactly: host)
            else {
                throw ConfigProblem(
                    "hostPort \(host)/\(transport): only tcp and udp ports from 1 to 65535 can lead to a pod here")
            }
            let address = port["hostIP"]?.string.flatMap { IPAddress($0) } ?? IPAddress(bytes: [0, 0, 0, 0])
            ports.append(PublishedPort(kind, hostAddress: address, hostPort: outer, containerPort: inner))
        }
        return ports
    }
}
