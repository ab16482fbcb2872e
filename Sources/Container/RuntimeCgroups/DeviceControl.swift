import Linux
import OCI

extension RuntimeCgroup {
    /// Makes these rules, after the denial of everything and before the devices that every container has, those of
    /// the group.
    ///
    /// - Throws: `SystemError`; EOPNOTSUPP where nothing on the machine controls devices.
    func setDevices(_ given: [DeviceRule]) throws(SystemError) {
        let rules = DeviceRules(given)
        if let legacy = branches.first(where: { !$0.isUnified && $0.controllers.contains("devices") }) {
            return try Self.write(try DeviceLists(rules), to: legacy.path, isNew: isNew)
        }
        guard let unified else {
            throw SystemError(
                "control devices", code: .notSupported,
                advice: "There is neither cgroup v2 nor v1's controller \"devices\": mount one of them.")
        }
        let directory = try Files.open(unified.path, OpenFlag.readOnly)
        try DeviceFilters.replace(with: DeviceProgram(rules).bytes, in: directory.raw)
    }

    /// Goes from the lists of now to others without a moment in which a device that both allow is denied.
    ///
    /// A new group has what the one above it has, which the denial of everything takes away.
    private static func write(_ wanted: DeviceLists, to path: String, isNew: Bool) throws(SystemError) {
        let now = isNew ? [] : try Files.readText(path + "/devices.list").split(separator: "\n").map(String.init)
        let allowsAll = isNew || now.contains { $0.hasPrefix("a ") }
        let lines = wanted.lines
        if wanted.allowsAll {
            // The kernel keeps no list of denials that could be read.
            try write(["a"], to: path + "/devices.allow")
            return try write(lines, to: path + "/devices.deny")
        }
        if allowsAll { try write(["a"], to: path + "/devices.deny") }
        let have = allowsAll ? [] : now
        try write(lines.filter { !have.contains($0) }, to: path + "/devices.allow")
        let surplus = have.filter { !lines.contains($0) }
        guard !surplus.isEmpty else { return }
        try write(surplus, to: path + "/devices.deny")
        // Taking back a part of a line takes what another line allows, too.
        let after = try Files.readText(path + "/devices.list").split(separator: "\n").map(String.init)
        try write(lines.filter { !after.contains($0) }, to: path + "/devices.allow")
    }

    /// The kernel takes a line a write.
    private static func write(_ lines: [String], to path: String) throws(SystemError) {
        guard !lines.isEmpty else { return }
        let file = try Files.open(path, OpenFlag.writeOnly)
        for line in lines { try Files.writeText(line, to: file.raw, name: path) }
    }
}
