package import Linux

/// Which cgroup hierarchies are mounted where, read from /proc/self/mountinfo and /proc/self/cgroup, cgroups(7).
///
/// Hosts come in four kinds: v2 only; v1 only, with one or several controllers to a hierarchy; hybrid, with v1
/// hierarchies and a v2 one that has few controllers or none; and without any. Each controller is bound to one
/// hierarchy at a time, so that "where is memory?" has one answer.
///
/// Invariants, each with its test in Tests/SandboxTests/CgroupLayoutTests.swift:
/// 1. Only mounts that the process sees are used: one covered by a later mount is left out.
///    (`a hierarchy covered by another mount is not used`)
/// 2. A hierarchy mounted several times is used once, writable before read-only and whole before a part.
///    (`of several mounts of a hierarchy the writable and whole one is used`)
package struct CgroupLayout: Hashable, Sendable {
    /// A mounted hierarchy.
    package struct Mount: Hashable, Sendable {
        /// Where it is mounted.
        package var path: String
        /// Those of its controllers that Forkless knows.
        package var controllers: CgroupControllers

        package init(path: String, controllers: CgroupControllers) {
            self.path = path
            self.controllers = controllers
        }
    }

    /// What kind of host it is.
    package enum Kind: String, Sendable { case none, legacy, hybrid, unified }

    /// The v2 hierarchy. Which controllers it has stands in its file cgroup.controllers: see `offering`.
    package var unified: Mount?
    /// The v1 hierarchies with at least one controller that Forkless knows.
    package var legacy: [Mount]
    /// Controllers which the kernel has on a v1 hierarchy that is not mounted where this process could see it.
    package var unmounted: CgroupControllers

    package init(unified: Mount? = nil, legacy: [Mount] = [], unmounted: CgroupControllers = []) {
        self.unified = unified
        self.legacy = legacy
        self.unmounted = unmounted
    }

    package var kind: Kind {
        switch (unified, legacy.isEmpty) {
        case (nil, true): .none
        case (nil, false): .legacy
        case (_, false): .hybrid
        case (_, true): .unified
        }
    }

    /// The layout that the texts of /proc/self/mountinfo and /proc/self/cgroup tell of.
    package static func parse(mountinfo: String, cgroup: String) throws(SystemError) -> CgroupLayout {
        let mounts = try Mountinfo.parse(Array(mountinfo.utf8))
        let seen = mounts.filter {
            ["cgroup", "cgroup2"].contains($0.fileSystem) && Mountinfo.seen(at: $0.mountPoint, in: mounts) == $0
        }
        var layout = CgroupLayout()
        layout.unified = best(of: seen.filter { $0.fileSystem == "cgroup2" }).map {
            Mount(path: $0.mountPoint, controllers: [])
        }
        let legacy = seen.filter { $0.fileSystem == "cgroup" }
        var found: CgroupControllers = []
        for mount in legacy {
            let controllers = CgroupControllers(names: mount.superOptions)
            // The same hierarchy shows the same controllers in each of its mounts.
            guard !controllers.isEmpty, found.isDisjoint(with: controllers) else { continue }
            found.formUnion(controllers)
            let same = legacy.filter { CgroupControllers(names: $0.superOptions) == controllers }
            layout.legacy.append(Mount(path: best(of: same)!.mountPoint, controllers: controllers))
        }
        layout.unmounted = try legacyControllers(cgroup).subtracting(found)
        return layout
    }

    /// The same layout once the text of the v2 hierarchy's cgroup.controllers is known.
    package func offering(_ text: String) -> CgroupLayout {
        var layout = self
        layout.unified?.controllers = CgroupControllers(
            names: text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        ).intersection(.delegated)
        return layout
    }

    /// The layout of this machine as the calling process sees it.
    package static func ofThisProcess() throws(SystemError) -> CgroupLayout {
        let layout = try parse(
            mountinfo: String(decoding: try Files.read("/proc/self/mountinfo", limit: 256 << 20), as: UTF8.self),
            cgroup: try Files.readText("/proc/self/cgroup"))
        guard let unified = layout.unified else { return layout }
        return layout.offering(try Files.readText(unified.path + "/cgroup.controllers"))
    }

    private static func best(of mounts: [Mountinfo]) -> Mountinfo? {
        func rank(_ mount: Mountinfo) -> Int {
            let readOnly = mount.options.contains("ro") || mount.superOptions.contains("ro")
            return (readOnly ? 2 : 0) + (mount.root == "/" ? 0 : 1)
        }
        return mounts.min { rank($0) < rank($1) }
    }

    /// The controllers of the lines "ID:CONTROLLERS:PATH"; v2's line is "0::PATH".
    private static func legacyControllers(_ text: String) throws(SystemError) -> CgroupControllers {
        var all: CgroupControllers = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, Int(fields[0]) != nil else {
                throw SystemError("read cgroup membership", String(line), code: .invalid)
            }
            all.formUnion(CgroupControllers(names: fields[1].split(separator: ",")))
        }
        return all
    }
}
