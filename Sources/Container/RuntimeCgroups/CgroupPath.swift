package import Linux

/// Where in a hierarchy a container's cgroup is, from `linux.cgroupsPath` (config-linux.md, "Cgroups Path").
///
/// Invariant: no path leads out of the hierarchy. (`a path that leads elsewhere is refused`)
package struct CgroupPath: Hashable, Sendable {
    /// From the hierarchy's root, not from where the runtime itself is.
    package let isAbsolute: Bool
    package let parts: [String]

    /// - Parameter path: nil is `/ID`.
    package init(_ path: String?, id: String) throws(SystemError) {
        let text = path ?? "/" + id
        isAbsolute = text.hasPrefix("/")
        parts = text.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard !parts.isEmpty else {
            throw SystemError(
                "use cgroup", "\"\(text)\"", code: .invalid, advice: "It names no group of the container's own.")
        }
        for part in parts {
            guard part != "..", part.utf8.count <= 255, !part.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
                throw SystemError(
                    "use cgroup", "\"\(text)\"", code: .invalid,
                    advice: "Its parts have at most 255 bytes, no control characters, and none is \"..\".")
            }
        }
    }

    /// The directory in a hierarchy.
    ///
    /// A relative path starts at the runtime's own cgroup, and on v2 at the one above: a v2 group that has processes
    /// cannot hand its controllers down.
    package func directory(in hierarchy: RuntimeCgroupLayout.Hierarchy, isUnified: Bool) -> String {
        var above: [String] = []
        if !isAbsolute {
            above = hierarchy.own.split(separator: "/").map(String.init)
            let root = hierarchy.root.split(separator: "/").map(String.init)
            if above.starts(with: root) { above.removeFirst(root.count) }
            above.removeAll { $0 == ".." }
            if isUnified { above = above.dropLast() }
        }
        var path = hierarchy.path
        for part in above { path += "/\(part)" }
        for part in parts { path += "/\(part)" }
        return path
    }
}
