package import Linux

/// The cgroup of one sandbox: a name and which controllers hold it. No descriptor is kept, since thousands of
/// these live at once; `CgroupHierarchy` opens what an operation needs and closes it again.
package struct Cgroup: Hashable, Sendable {
    /// The name of its directory below the parent's, the same in every hierarchy.
    package let name: String
    /// What was asked for. Where a v2 hierarchy is mounted, it is in that one, too.
    package let controllers: CgroupControllers

    /// Longest name of a cgroup in bytes: NAME_MAX is 255, and whoever derives a name from it has room for a suffix.
    package static let nameBytesLimit = 200

    /// Refuses names that would be another directory's, or none.
    ///
    /// - Throws: `SystemError` (EINVAL).
    package static func validate(name: String) throws(SystemError) {
        let bytes = name.utf8
        let advice: String
        if bytes.isEmpty || name == "." || name == ".." {
            advice = "Give it a name of its own."
        } else if bytes.count > nameBytesLimit {
            advice = "A name has at most \(nameBytesLimit) bytes."
        } else if bytes.contains(where: { $0 == UInt8(ascii: "/") || $0 < 0x20 || $0 == 0x7f }) {
            advice = "A name has no slash and no control character."
        } else {
            return
        }
        throw SystemError("name a cgroup", "\"\(name)\"", code: .invalid, advice: advice)
    }
}

/// Open `tasks` (v1) and `cgroup.procs` (v2) files: a process of one thread that writes "0" into each one is in the
/// cgroup, cgroups(7).
///
/// All are closed when the last holder lets go.
package struct CgroupEntries: Sendable {
    package let descriptors: [SharedFD]

    /// The numbers, valid while this value lives.
    package var raws: [CInt] { descriptors.map(\.raw) }

    init(adopting raws: [CInt]) { descriptors = raws.map { SharedFD(OwnedFD(adopting: $0)) } }
}
