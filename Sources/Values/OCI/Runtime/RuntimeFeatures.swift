package import JSON

/// What the runtime knows (features.md, features-linux.md): what `features` prints. Lists come from the tables that the
/// reading itself uses, so that they cannot say what is not so; what is off is what `check` refuses.
package enum RuntimeFeatures {
    /// By number, capabilities(7).
    package static let capabilities = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// - Parameters:
    ///   - version: The runtime's own.
    ///   - architectures: Those whose system calls the seccomp compiler of this machine knows.
    ///   - flags: The seccomp flags that the kernel takes.
    ///   - annotations: Those that change what the runtime does, which a manager may want to keep users from writing.
    package static func json(
        version: String, architectures: [SeccompSpec.Architecture], flags: [SeccompSpec.Flag], annotations: [String]
    ) -> JSONValue {
        [
            "ociVersionMin": .string(RuntimeSpec.lowestVersion),
            "ociVersionMax": .string(RuntimeSpec.version),
            "hooks": names(HooksSpec.Stage.self),
            "mountOptions": MountOptions.names.json,
            "linux": [
                "namespaces": names(NamespaceSpec.Kind.self),
                "capabilities": capabilities.json,
                "cgroup": ["v1": true, "v2": true, "systemd": true, "systemdUser": true, "rdma": true],
                "seccomp": [
                    "enabled": true,
                    "actions": names(SeccompSpec.Action.self),
                    "operators": names(SeccompSpec.Operator.self),
                    "archs": architectures.map(\.rawValue).sorted().json,
                    "knownFlags": names(SeccompSpec.Flag.self),
                    "supportedFlags": flags.map(\.rawValue).sorted().json,
                ],
                "apparmor": ["enabled": true],
                "selinux": ["enabled": true],
                "intelRdt": ["enabled": false, "schemata": false, "monitoring": false],
                "memoryPolicy": [
                    "modes": names(MemoryPolicySpec.Mode.self), "flags": names(MemoryPolicySpec.Flag.self),
                ],
                "mountExtensions": ["idmap": ["enabled": true]],
                "netDevices": ["enabled": true],
            ],
            "annotations": ["dev.forkless.oci.version": .string(version)],
            "potentiallyUnsafeConfigAnnotations": annotations.json,
        ]
    }

    private static func names<Name: NamedBySpecification>(_ type: Name.Type) -> JSONValue {
        Name.allCases.map(\.rawValue).sorted().json
    }
}
