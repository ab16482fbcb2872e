package import Linux

/// The unit of systemd that is a container's cgroup, from `linux.cgroupsPath` ("SLICE:PREFIX:NAME", as Podman, CRI-O and
/// containerd write it). Pure.
///
/// Invariants (tests in SystemdUnitTests):
/// 1. The unit's cgroup is inside its slice's, and the slice's inside those that its name says.
/// 2. What is no unit's name is refused: nothing of it reaches systemd or a path.
package struct SystemdUnit: Hashable, Sendable {
    package let slice: String
    /// "PREFIX-NAME.scope"
    package let name: String

    /// - Parameters:
    ///   - path: nil is a scope of the container's id.
    ///   - isUser: whether the manager is a user's.
    package init(_ path: String?, id: String, isUser: Bool) throws(SystemError) {
        let standard = isUser ? "user.slice" : "system.slice"
        guard let path else {
            slice = standard
            name = "forkless-\(id).scope"
            try Self.check(name, of: name)
            return
        }
        let parts = path.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts[2].isEmpty else {
            throw Self.refused(path, "With --systemd-cgroup it has the form \"SLICE:PREFIX:NAME\".")
        }
        slice = parts[0].isEmpty ? standard : parts[0]
        guard !parts[2].hasSuffix(".slice") else {
            throw Self.refused(path, "A container is a scope in a slice and no slice itself.")
        }
        name = (parts[1].isEmpty ? parts[2] : "\(parts[1])-\(parts[2])") + ".scope"
        try Self.check(name, of: path)
        try Self.checkSlice(slice, of: path)
    }

    /// From the manager's own cgroup: "/a.slice/a-b.slice/c-d.scope" in the slice "a-b.slice" (systemd.slice(5)).
    package var cgroup: String {
        guard slice != "-.slice" else { return "/" + name }
        var path = ""
        var prefix = ""
        for part in slice.dropLast(Self.suffix.count).split(separator: "-") {
            prefix += (prefix.isEmpty ? "" : "-") + part
            path += "/\(prefix)\(Self.suffix)"
        }
        return "\(path)/\(name)"
    }

    private static let suffix = ".slice"

    private static func checkSlice(_ slice: String, of path: String) throws(SystemError) {
        try check(slice, of: path)
        guard slice.hasSuffix(suffix) else {
            throw refused(path, "\"\(slice)\" is no slice: its name ends with .slice.")
        }
        if slice == "-.slice" { return }
        let parts = slice.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw refused(path, "\"\(slice)\" has an empty part between its hyphens.")
        }
    }

    /// systemd.unit(5): ASCII letters, digits and ":-_.\@"; up to 255 bytes.
    private static func check(_ name: String, of path: String) throws(SystemError) {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: ":-_.\\@+".utf8.contains(byte)
            }
        }
        guard isPlain, name.utf8.count <= 255, !name.hasPrefix(".") else {
            throw refused(path, "\"\(name.prefix(64))\" cannot be the name of a unit.")
        }
    }

    private static func refused(_ path: String, _ why: String) -> SystemError {
        SystemError("use linux.cgroupsPath", "\"\(path.prefix(256))\"", code: .invalid, advice: why)
    }
}
