import JSON
import KubeObjects

/// Kernel settings of a pod's own namespaces: core/v1.Sysctl.
///
/// Only those that Kubernetes calls safe are set: they are the pod's alone, and touch nobody else on the machine.
struct PodSysctls: Sendable {
    private enum Owner: String {
        case ipc = "IPC"
        case network = "Net"
    }

    /// As the kubelet has them by default, for kernels from 4.15.
    private static let safe: [String: Owner] = [
        "kernel.shm_rmid_forced": .ipc, "net.ipv4.ip_local_port_range": .network, "net.ipv4.tcp_syncookies": .network,
        "net.ipv4.ping_group_range": .network, "net.ipv4.ip_unprivileged_port_start": .network,
        "net.ipv4.ip_local_reserved_ports": .network, "net.ipv4.tcp_keepalive_time": .network,
        "net.ipv4.tcp_fin_timeout": .network, "net.ipv4.tcp_keepalive_intvl": .network,
        "net.ipv4.tcp_keepalive_probes": .network, "net.ipv4.tcp_rmem": .network, "net.ipv4.tcp_wmem": .network,
    ]

    /// The reason of a pod that asks for others.
    static let forbiddenReason = "SysctlForbidden"

    let pod: KubeObject

    private var wanted: [(name: String, value: String)] {
        (pod.spec["securityContext", "sysctls"]?.array ?? []).map {
            (Self.normal($0["name"]?.string ?? ""), $0["value"]?.string ?? "")
        }
    }

    /// Why the pod may not run here, in the kubelet's words; nil: it may.
    var refusal: String? {
        for (name, _) in wanted {
            guard let owner = Self.safe[name] else { return "forbidden sysctl: \"\(name)\" not allowlisted" }
            let isOfMachine = pod.spec[owner == .ipc ? "hostIPC" : "hostNetwork"]?.bool == true
            if isOfMachine {
                return "forbidden sysctl: \"\(name)\" not allowed with host \(owner.rawValue) enabled"
            }
        }
        return nil
    }

    /// Paths below /proc/sys with what is written there. Only of a pod that is not refused: their names are known.
    var settings: [(path: String, value: String)] {
        wanted.filter { Self.safe[$0.name] != nil }.map {
            (String($0.name.map { $0 == "." ? "/" : $0 }), $0.value)
        }
    }

    /// sysctl(8): where the first separator is a slash, slashes and dots change places.
    private static func normal(_ name: String) -> String {
        guard name.first(where: { $0 == "." || $0 == "/" }) == "/" else { return name }
        return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }
}
