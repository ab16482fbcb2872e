package import Linux

/// Which cgroup hierarchies are mounted where, with every controller they have, cgroups(7).
///
/// `CgroupLayout` knows the controllers of a sandbox; a container of the OCI specification joins all there are, those
/// without limits too: its manager reads its figures there, and a program in it must not be in the machine's own group.
///
/// Invariants (each with a test in RuntimeCgroupLayoutTests):
/// 1. Only mounts that the process sees are used; of several mounts of a hierarchy a whole and writable one.
/// 2. Each controller is in one hierarchy.
package struct RuntimeCgroupLayout: Hashable, Sendable {
    /// One hierarchy.
    package struct Hierarchy: Hashable, Sendable {
        /// Where it is mounted.
        package var path: String
        /// The kernel's names; a v1 hierarchy without a controller has its own name ("name=systemd").
        package var controllers: [String]
        /// The cgroup that is seen at `path`: "/" unless a part of it is mounted.
        package var root: String
        /// The cgroup of the calling process, from the hierarchy's root.
        package var own: String

        package init(path: String, controllers: [String], root: String = "/", own: String = "/") {
            self.path = path
            self.controllers = controllers
            self.root = root
            self.own = own
        }
    }

    /// The v2 hierarchy.
    package var unified: Hierarchy?
    /// The v1 hierarchies in the order of their mounts.
    package var legacy: [Hierarchy]

    package init(unified: Hierarchy? = nil, legacy: [Hierarchy] = []) {
        self.unified = unified
        self.legacy = legacy
    }

    /// The layout that the texts of /proc/self/mountinfo and /proc/self/cgroup tell of.
    package static func parse(mountinfo: String, cgroup: String) throws(SystemError) -> RuntimeCgroupLayout {
        let mounts = try Mountinfo.parse(Array(mountinfo.utf8))
        let seen = mounts.filter {
            ["cgroup", "cgroup2"].contains($0.fileSystem) && Mountinfo.seen(at: $0.mountPoint, in: mounts) == $0
        }
        let own = try memberships(cgroup)
        var layout = RuntimeCgroupLayout()
        layout.unified = best(of: seen.filter { $0.fileSystem == "cgroup2" }).map {
            Hierarchy(path: $0.mountPoint, controllers: [], root: $0.root, own: own[""] ?? "/")
        }
        let legacy = seen.filter { $0.fileSystem == "cgroup" }.map { ($0, controllers(of: $0, known: own)) }
        var found: [String] = []
        for (_, controllers) in legacy {
            guard let first = controllers.first, !controllers.contains(where: { found.contains($0) }) else { continue }
            found += controllers
            let best = best(of: legacy.filter { $0.1 == controllers }.map { $0.0 })!
            layout.legacy.append(
                Hierarchy(path: best.mountPoint, controllers: controllers, root: best.root, own: own[first] ?? "/"))
        }
        return layout
    }

    /// The same layout once the text of the v2 hierarchy's cgroup.controllers is known.
    package func offering(_ text: String) -> RuntimeCgroupLayout {
        var layout = self
        layout.unified?.controllers = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
        return layout
    }

    /// The layout of this machine as the calling process sees it.
    package static func ofThisProcess() throws(SystemError) -> RuntimeCgroupLayout {
        let layout = try parse(
            mountinfo: String(decoding: try Files.read("/proc/self/mountinfo", limit: 256 << 20), as: UTF8.self),
            cgroup: try Files.readText("/proc/self/cgroup"))
        guard let unified = layout.unified else { return layout }
        return layout.offering(try Files.readText(unified.path + "/cgroup.controllers"))
    }

    /// Whether v2 is all there is.
    package var isUnified: Bool { unified != nil && legacy.isEmpty }

    /// The lines "ID:CONTROLLERS:PATH" by controller; v2's line is "0::PATH".
    private static func memberships(_ text: String) throws(SystemError) -> [String: String] {
        var paths: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, Int(fields[0]) != nil else {
                throw SystemError("read cgroup membership", String(line), code: .invalid)
            }
            for name in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(name)] = String(fields[2])
            }
        }
        return paths
    }

    /// A mount's options name its controllers among other things ("rw", "xattr"); the membership says which are.
    private static func controllers(of mount: Mountinfo, known: [String: String]) -> [String] {
        mount.superOptions.filter { !$0.isEmpty && known[$0] != nil }
    }

    private static func best(of mounts: [Mountinfo]) -> Mountinfo? {
        func rank(_ mount: Mountinfo) -> Int {
            let readOnly = mount.options.contains("ro") || mount.superOptions.contains("ro")
            return (readOnly ? 2 : 0) + (mount.root == "/" ? 0 : 1)
        }
        return mounts.min { rank($0) < rank($1) }
    }
}
