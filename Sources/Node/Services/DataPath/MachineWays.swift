import Linux

/// Whether packets that stay on one bridge pass the rules: br_netfilter, bridge(8), the kernel's networking/bridge.
///
/// Pods on one bridge reach each other without the machine's own stack. Answers from a pod that a service led to must
/// come back through the rules, and policies must see what goes from pod to pod. This kernel has no connection tracking
/// for tables of the bridge family (NF_CONNTRACK_BRIDGE), and everyone who runs Kubernetes has this switch on.
enum BridgedPackets {
    private static let switches = ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"]

    /// Switches it on in the calling thread's network namespace. It stays on: who else counts on it is not known.
    ///
    /// - Returns: false where the kernel has nothing of the kind.
    static func pass() throws(SystemError) -> Bool {
        for name in switches {
            let path = "/proc/sys/net/bridge/" + name
            do throws(SystemError) {
                if try Files.readText(path) == "0" { try Files.writeText("1", to: path) }
            } catch {
                guard error.code == .noEntry else { throw error }
                return false
            }
        }
        return true
    }
}

/// A way to the cluster's addresses for the machine itself. Rules look at a packet when it has a way already, and a
/// machine without a default route has none to addresses that are nobody's.
enum ClusterRoute {
    static func open(to subnets: [Subnet]) throws(SystemError) {
        let socket = try NetlinkSocket()
        guard let loopback = try socket.links().first(where: { $0.name == "lo" })?.index else { return }
        for subnet in subnets {
            do throws(SystemError) { try socket.perform(.addRoute(to: subnet, link: loopback)) } catch {
                guard error.code == .exists else { throw error }
            }
        }
    }

    static func close(to subnets: [Subnet]) throws(SystemError) {
        let socket = try NetlinkSocket()
        guard let loopback = try socket.links().first(where: { $0.name == "lo" })?.index else { return }
        for subnet in subnets {
            do throws(SystemError) { try socket.perform(.removeRoute(to: subnet, link: loopback)) } catch {
                guard error.code == .noProcess || error.code == .noEntry else { throw error }
            }
        }
    }
}
