import Foundation

/// An OCI bundle that asks runc for what the keeper gives: the same namespaces, root, mounts, masked and read-only
/// paths, limits, no capabilities, and the same system-call filter.
struct RuncBundle {
    let directory: String
    private let state: String

    /// - Parameter profile: what `forkless-load` says of its sandbox ("profile").
    init(in directory: String, root: SmallRoot, program: String, profile: String) throws {
        self.directory = "\(directory)/bundle"
        state = "\(directory)/runc"
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        _ = try Command.output(["runc", "spec", "--bundle", self.directory])
        let file = URL(fileURLWithPath: "\(self.directory)/config.json")
        var config = try Self.object(Data(contentsOf: file))
        Self.adapt(&config, root: root, program: program, to: try Self.object(Data(profile.utf8)))
        try JSONSerialization.data(withJSONObject: config).write(to: file)
    }

    /// `runc run` for a container of this name.
    func command(_ name: String) -> [String] {
        ["/usr/sbin/runc", "--root", state, "run", "--bundle", directory, name]
    }

    private static func adapt(
        _ config: inout [String: Any], root: SmallRoot, program: String, to profile: [String: Any]
    ) {
        var process = config["process"] as! [String: Any]
        process["terminal"] = false
        process["args"] = [program]
        process["noNewPrivileges"] = true
        process["rlimits"] = [Any]()
        process["capabilities"] =
            ["bounding": [], "effective": [], "permitted": [], "ambient": []] as [String: [String]]
        config["process"] = process
        config["root"] = ["path": root.path, "readonly": true] as [String: Any]
        config["hostname"] = "load"
        config["mounts"] = mounts(of: config)
        config["linux"] =
            [
                "cgroupsPath": "/forkless-bench-runc",
                "namespaces": ["pid", "network", "ipc", "uts", "mount", "cgroup"].map { ["type": $0] },
                "maskedPaths": profile["maskedPaths"]!, "readonlyPaths": profile["readonlyPaths"]!,
                "resources": [
                    "memory": ["limit": profile["memoryBytes"]!, "swap": profile["memoryBytes"]!],
                    "pids": ["limit": profile["pids"]!],
                ],
                "seccomp": profile["seccomp"]!,
            ] as [String: Any]
    }

    /// What `runc spec` mounts, without /sys, which the keeper's sandbox does not show, and with its /tmp.
    private static func mounts(of config: [String: Any]) -> [[String: Any]] {
        let standard = config["mounts"] as! [[String: Any]]
        let temporary: [String: Any] = [
            "destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "nodev", "mode=1777", "size=256m"],
        ]
        return standard.filter { !($0["destination"] as! String).hasPrefix("/sys") } + [temporary]
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw BenchmarkError("an OCI configuration is a JSON object")
        }
        return object
    }
}
