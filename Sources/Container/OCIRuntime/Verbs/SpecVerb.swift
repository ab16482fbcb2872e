import JSON
import Linux
import OCI

extension Verbs {
    /// `spec`: writes a config.json to begin with: a shell in an isolated container.
    func spec(bundle: String, isRootless: Bool) throws(RuntimeFailure) {
        let path = "\(bundle)/config.json"
        guard !Files.exists(path) else { throw RuntimeFailure("File config.json exists. Remove it first") }
        try attempt { () throws(SystemError) in
            let text = JSONWriter.bytes(SpecTemplate.json(isRootless: isRootless), .indented(4)) + [10]
            try Files.replace(path, with: text, mode: 0o666)
        }
    }
}

/// The configuration that `spec` writes.
enum SpecTemplate {
    static func json(isRootless: Bool) -> JSONValue {
        [
            "ociVersion": .string(RuntimeSpec.version),
            "process": process,
            "root": ["path": "rootfs", "readonly": true],
            "hostname": "forkless",
            "mounts": .array(mounts(isRootless: isRootless)),
            "linux": linux(isRootless: isRootless),
        ]
    }

    private static let capabilities: JSONValue = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

    private static var process: JSONValue {
        [
            "terminal": true,
            "user": ["uid": 0, "gid": 0],
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": ["bounding": capabilities, "effective": capabilities, "permitted": capabilities],
            "rlimits": [["type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024]],
            "noNewPrivileges": true,
        ]
    }

    private static func mounts(isRootless: Bool) -> [JSONValue] {
        func mount(_ destination: String, _ type: String, _ source: String, _ options: [String]) -> JSONValue {
            [
                "destination": .string(destination), "type": .string(type), "source": .string(source),
                "options": options.json,
            ]
        }
        let terminals =
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (isRootless ? [] : ["gid=5"])
        // A sysfs belongs to a network namespace; that of the machine is bound where the container has none of its own.
        let sys =
            isRootless
            ? mount("/sys", "none", "/sys", ["rbind", "nosuid", "noexec", "nodev", "ro"])
            : mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"])
        let cgroup = mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])
        return [
            mount("/proc", "proc", "proc", []),
            mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", "devpts", terminals),
            mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
            sys,
        ] + (isRootless ? [] : [cgroup])
    }

    private static func linux(isRootless: Bool) -> JSONValue {
        var kinds = ["pid", "ipc", "uts", "mount", "cgroup"]
        kinds.append(isRootless ? "user" : "network")
        var linux: JSONValue = [
            "namespaces": .array(kinds.map { ["type": .string($0)] }),
            "maskedPaths": [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
            ],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        ]
        if isRootless {
            linux["uidMappings"] = [["containerID": 0, "hostID": .integer(Int64(OwnProcess.effectiveUser)), "size": 1]]
            linux["gidMappings"] = [["containerID": 0, "hostID": .integer(Int64(OwnProcess.effectiveGroup)), "size": 1]]
        } else {
            linux["resources"] = ["devices": [["allow": false, "access": "rwm"]]]
        }
        return linux
    }
}
