/// A kernel parameter of a container, and which namespace it belongs to (sysctl(8), namespaces(7)).
///
/// Only parameters of a namespace can be a container's own: all others are the machine's.
package struct SysctlName: Hashable, Sendable {
    /// Below /proc/sys: "net/ipv4/ip_forward". No part is empty, "." or "..".
    package let path: String

    /// A name with "." or "/" between its parts; whichever comes first is the separator, and the other one stands for
    /// it inside a part ("net/ipv4/conf/eno2.100/rp_filter" is "net.ipv4.conf.eno2/100.rp_filter", sysctl(8)).
    /// nil when a part could lead elsewhere.
    package init?(_ name: String) {
        let separator = name.first { $0 == "." || $0 == "/" }
        let path =
            separator == "/"
            ? name : String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 1, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        self.path = path
    }

    /// The namespace that has it; nil when it is the machine's.
    package var namespace: NamespaceSpec.Kind? {
        if path.hasPrefix("net/") { return .network }
        if path.hasPrefix("fs/mqueue/") || Self.ofIPC.contains(path) { return .ipc }
        if path == "kernel/domainname" || path == "kernel/hostname" { return .uts }
        return nil
    }

    private static let ofIPC: Set<String> = [
        "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall", "kernel/shmmax",
        "kernel/shmmni", "kernel/shm_rmid_forced",
    ]
}
