import Linux
package import Networking
import OCI
package import Sandbox

// What a spec says about networks, and what of it contradicts itself.
extension ContainerSpec {
    /// The network that this container has, with the default for its kind where nothing was said.
    package var networkChoice: ContainerNetwork {
        if let network { return network }
        if image != nil { return .joined([NetworkAttachment.Joining(network: NetworkDefinition.defaultName)]) }
        return rung == .process ? .host : .isolated
    }

    /// What the plan has to say of it.
    package var plannedNetwork: SandboxNetwork {
        switch networkChoice {
        case .isolated: .own
        case .host: .machine
        case .joined, .container, .pod: .given
        }
    }

    /// `-p`, and with `-P` every other exposed port at a free port of the machine.
    package var portsToPublish: [PublishedPort] {
        guard publishesExposedPorts else { return ports }
        let free = exposedPorts.sorted().compactMap { exposed -> PublishedPort? in
            guard let transport = PublishedPort.Transport(rawValue: exposed.transport.rawValue),
                !ports.contains(where: { $0.containerPort == exposed.number && $0.transport == transport })
            else { return nil }
            return PublishedPort(transport, hostPort: 0, containerPort: exposed.number)
        }
        return ports + free
    }

    /// Whether its programs can leave nothing in a network namespace but sockets: then the next container may have it.
    ///
    /// Who administers the network can leave anything there; who sees the machine's own /proc can write its switches.
    package var leavesNetworkClean: Bool {
        let harmful: Set<String> = ["NET_ADMIN", "SYS_ADMIN", "SYS_MODULE", "ALL"]
        let added = addedCapabilities.map { name in
            let upper = name.uppercased()
            return upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
        }
        guard harmful.isDisjoint(with: added), devices.isEmpty, !isPrivileged else { return false }
        return !mounts.contains { if case .bind = $0 { true } else { false } }
    }

    /// Checks what can be checked of network flags without a machine.
    func validateNetwork() throws(SpecError) {
        for port in ports {
            do throws(NetworkFailure) { try port.check() } catch { throw SpecError("-p", "\(port)", error.description) }
        }
        for port in exposedPorts where PublishedPort.Transport(rawValue: port.transport.rawValue) == nil && publishesExposedPorts {
            throw SpecError("-P", "\(port)", "only tcp and udp can be published")
        }
        try validateChoice()
        for host in extraHosts where !DNSName.isHostName(host.name) {
            throw SpecError("--add-host", host.name, "is no host name")
        }
        for word in (searchDomains ?? []) + (resolverOptions ?? []) {
            guard !word.isEmpty, !word.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else {
                throw SpecError("--dns-search, --dns-option", word, "is no word of resolv.conf(5)")
            }
        }
        if nameServers.contains(where: { $0.isUnspecified || $0.isMulticast }) {
            throw SpecError("--dns", "", "every address or a group of them is no name server's")
        }
    }

    private func validateChoice() throws(SpecError) {
        let choice = networkChoice
        if !portsToPublish.isEmpty || publishesExposedPorts {
            guard case .joined = choice else {
                throw SpecError(
                    ports.isEmpty ? "-P" : "-p", ports.first.map { "\($0)" } ?? "",
                    "ports can be published only of a container in a network of the node (--network NAME)")
            }
        }
        switch choice {
        case .isolated, .host: break
        case .pod(let pod):
            guard image != nil, !pod.isEmpty else {
                throw SpecError("--network", "pod:\(pod)", "the network of a pod is for containers of images")
            }
        case .container(let word):
            guard !word.isEmpty else { throw SpecError("--network", "container:", "name a container behind the colon") }
            let reason = "contradicts --network container:\(word): what it says belongs to that container"
            if hostname != nil { throw SpecError("--hostname", hostname!, reason) }
            if !exposedPorts.isEmpty, image == nil { throw SpecError("--expose", "", reason) }
            if !nameServers.isEmpty || searchDomains != nil || resolverOptions != nil { throw SpecError("--dns", "", reason) }
            if !extraHosts.isEmpty { throw SpecError("--add-host", "", reason) }
        case .joined(let networks): try validate(networks)
        }
    }

    private func validate(_ networks: [NetworkAttachment.Joining]) throws(SpecError) {
        guard image != nil else {
            throw SpecError(
                "--network", networks[0].network,
                "networks of the node are for containers of images: a program with the machine's own files has none or host")
        }
        var seen: Set<String> = []
        for joining in networks {
            guard seen.insert(joining.network).inserted else {
                throw SpecError("--network", joining.network, "is given twice")
            }
            for alias in joining.aliases where !DNSName.isHostName(alias) {
                throw SpecError("--network-alias", alias, "is no host name")
            }
            if let address = joining.ipv4, address.isIPv6 { throw SpecError("--ip", "\(address)", "is an IPv6 address: --ip6") }
            if let address = joining.ipv6, !address.isIPv6 { throw SpecError("--ip6", "\(address)", "is an IPv4 address: --ip") }
        }
    }
}
