import Linux

/// Attempts to reach the machine's network.
extension ProbeAttempt {
    static let ofNetwork = [
        ProbeAttempt("see-network", "see the machine's network interfaces") { settings throws(ProbeGap) in
            var names: Set<String> = []
            do { names.formUnion(try Trial.interfaceNames()) } catch { return .stopped("\(error)") }
            // Interfaces with numbers beyond those that were asked for show here, where there is a /proc.
            if let table = try? Files.readText("/proc/net/dev") { names.formUnion(interfaces(inTable: table)) }
            names.remove("lo")
            return names.isEmpty ? .stopped("none but lo") : .possible(names.sorted().joined(separator: ", "))
        },
        ProbeAttempt("connect-loopback", "connect to a local service of the machine") { settings throws(ProbeGap) in
            let port = try settings.number(ProbeSettings.port, in: 1...65_535)
            switch Trial.connectLoopback(port: UInt16(port)) {
            case .allowed: return .possible("127.0.0.1:\(port) answers")
            case let outcome: return .stopped(describe(outcome))
            }
        },
        ProbeAttempt("take-ports", "take ports of the machine") { settings throws(ProbeGap) in
            let port = UInt16(try settings.number(ProbeSettings.port, in: 1...65_535))
            // A port that the machine uses is in use where it is the machine's network, and free in a network of its own.
            let used = Trial.bindLoopback(port: port)
            guard used == .refused(.addressInUse) else {
                return .stopped(used == .allowed ? "127.0.0.1:\(port) is one of its own" : describe(used))
            }
            return try verdict(["a free port of 127.0.0.1": Trial.bindLoopback(port: 0)])
        },
        ProbeAttempt("raw-packets", "forge network packets and listen to those of others") {
            settings throws(ProbeGap) in
            try verdict(Trial.rawSockets())
        },
        ProbeAttempt("reach-outside", "reach hosts outside of the machine") { settings throws(ProbeGap) in
            try verdict(Trial.routesOutside())
        },
        ProbeAttempt("daemon-sockets", "command the machine's daemons") { settings throws(ProbeGap) in
            var outcomes: [String: Trial.Outcome] = [:]
            for name in try [settings.text(ProbeSettings.socket), settings.text(ProbeSettings.abstractSocket)] {
                outcomes[name] = Trial.connectLocal(name)
            }
            for path in daemonSockets where Files.exists(path) { outcomes[path] = Trial.connectLocal(path) }
            return try verdict(outcomes)
        },
    ]

    /// Whoever can talk to one of these is the machine's administrator, or can become it.
    private static let daemonSockets = [
        "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock",
        "/run/forkless/node.sock", "/run/forkless/keeper.sock", "/run/systemd/private", "/run/dbus/system_bus_socket",
        "/run/lxd.socket", "/run/libvirt/libvirt-sock", "/run/snapd.socket",
    ]

    /// The names in /proc/net/dev: two lines of heading, then "name: numbers".
    static func interfaces(inTable table: String) -> [String] {
        table.split(separator: "\n").dropFirst(2).compactMap { line in
            guard let colon = line.lastIndex(of: ":") else { return nil }
            return String(line[..<colon].drop { $0 == " " })
        }
    }
}
