import Linux
import Testing

@testable import Sandbox

/// What the standard profile says of the calls that matter, case by case.
@Suite struct `The standard seccomp profile` {
    private static let allow = SeccompAction.allow
    private static let denied = SeccompAction.errno(.notPermitted)
    private static let missing = SeccompAction.errno(.notImplemented)

    private func verdict(
        _ name: String, _ arguments: UInt64..., capabilities: Capabilities = []
    ) throws -> UInt32 {
        let number = try #require(SystemCalls.of(.x86_64).number(of: name))
        let compiled = try SeccompProfile.standard(capabilities: capabilities).compile(for: .x86_64)
        let filter = try SeccompSimulator(bytes: compiled.bytes)
        return try filter.verdict(CallData(number, arguments, architecture: SystemCallABI.x86_64.auditNumber))
    }

    @Test(arguments: [SystemCallABI.x86_64, .arm64])
    func `every name in it is a call of some ABI`(abi: SystemCallABI) throws {
        let profile = SeccompProfile.standard(capabilities: .all)
        let skipped = try profile.compile(for: abi).skippedNames
        for name in skipped {
            #expect(SystemCallABI.allCases.contains { SystemCalls.of($0).number(of: name) != nil }, "\(name)")
        }
        if abi == .x86_64 { #expect(skipped == []) } else { #expect(skipped.contains("open")) }
    }

    @Test func `the crypto and vsock families are denied, however the int is padded`() throws {
        let families: [UInt64: SeccompAction] = [
            1: Self.allow, 2: Self.allow, 38: Self.denied, 39: Self.allow, 40: Self.denied,
        ]
        for (family, action) in families {
            for padding: UInt64 in [0, 1 << 32, 0xFFFF_FFFF << 32] {
                #expect(try verdict("socket", family | padding, 1, 0) == action.returnValue, "\(family)")
            }
        }
    }

    @Test func `typing into a terminal is denied with any capability`() throws {
        for command: UInt64 in [0x5412, 0x541C] {
            for padding: UInt64 in [0, 1 << 32, 0xFFFF_FFFF << 32] {
                #expect(try verdict("ioctl", 0, command | padding) == Self.denied.returnValue)
                #expect(try verdict("ioctl", 0, command | padding, capabilities: .all) == Self.denied.returnValue)
            }
        }
        // TCGETS, TIOCGWINSZ, FIONREAD
        for command: UInt64 in [0x5401, 0x5413, 0x541B] {
            #expect(try verdict("ioctl", 0, command) == Self.allow.returnValue)
        }
    }

    @Test func `new namespaces and mounts take CAP_SYS_ADMIN`() throws {
        let administrator = Capabilities(names: ["SYS_ADMIN"])!
        for flag: UInt64 in [
            0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
        ] {
            #expect(try verdict("clone", flag | 17) == Self.denied.returnValue)
            #expect(try verdict("clone", flag | 17, capabilities: .dockerDefault) == Self.denied.returnValue)
            #expect(try verdict("clone", flag | 17, capabilities: administrator) == Self.allow.returnValue)
        }
        #expect(try verdict("clone", 0x003D_0F00) == Self.allow.returnValue)  // pthread_create
        #expect(try verdict("clone3") == Self.missing.returnValue)
        #expect(try verdict("clone3", capabilities: administrator) == Self.allow.returnValue)
        for name in [
            "unshare", "setns", "mount", "umount2", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
            "open_tree", "mount_setattr", "sethostname", "bpf", "perf_event_open",
        ] {
            #expect(try verdict(name) == Self.denied.returnValue, "\(name)")
            #expect(try verdict(name, capabilities: .dockerDefault) == Self.denied.returnValue, "\(name)")
            #expect(try verdict(name, capabilities: administrator) == Self.allow.returnValue, "\(name)")
        }
        #expect(try verdict("open_tree_attr") == Self.missing.returnValue)
        #expect(try verdict("open_tree_attr", capabilities: administrator) == Self.allow.returnValue)
    }

    @Test func `calls that no capability opens stay shut`() throws {
        for name in [
            "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "userfaultfd",
            "kexec_load", "kexec_file_load", "swapon", "pivot_root", "nfsservctl",
        ] {
            #expect(try verdict(name) == Self.denied.returnValue, "\(name)")
            #expect(try verdict(name, capabilities: .all) == Self.denied.returnValue, "\(name)")
        }
    }

    @Test(arguments: [
        ("DAC_READ_SEARCH", "open_by_handle_at"), ("SYS_BOOT", "reboot"), ("SYS_CHROOT", "chroot"),
        ("SYS_MODULE", "init_module"), ("SYS_PACCT", "acct"), ("SYS_PTRACE", "pidfd_getfd"), ("SYS_RAWIO", "iopl"),
        ("SYS_TIME", "settimeofday"), ("SYS_TTY_CONFIG", "vhangup"), ("SYS_NICE", "mbind"), ("SYSLOG", "syslog"),
        ("BPF", "bpf"), ("PERFMON", "perf_event_open"),
    ])
    func `a call that needs a capability is allowed with it alone`(capability: String, name: String) throws {
        let only = Capabilities(names: [capability])!
        #expect(try verdict(name) == Self.denied.returnValue)
        #expect(try verdict(name, capabilities: only) == Self.allow.returnValue)
        let others = Capabilities.all.subtracting(only).subtracting(Capabilities(names: ["SYS_ADMIN"])!)
        #expect(try verdict(name, capabilities: others) == Self.denied.returnValue)
    }

    @Test func `only known personalities are allowed`() throws {
        for known: UInt64 in [0, 8, 0x20000, 0x20008, 0xFFFF_FFFF, .max] {
            #expect(try verdict("personality", known) == Self.allow.returnValue)
        }
        // ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, MMAP_PAGE_ZERO
        for other: UInt64 in [0x004_0000, 0x040_0000, 0x010_0000, 1, 9] {
            #expect(try verdict("personality", other) == Self.denied.returnValue)
        }
    }

    @Test func `what is newer than this library looks missing, so that programs fall back`() throws {
        let filter = try SeccompSimulator(bytes: SeccompProfile.standard.compile(for: .x86_64).bytes)
        for number: UInt32 in [470, 471, 600, 0x3FFF_FFFF, 337, 400] {
            #expect(
                try filter.verdict(CallData(number, architecture: SystemCallABI.x86_64.auditNumber))
                    == Self.missing.returnValue)
        }
        #expect(try verdict("file_setattr") == Self.missing.returnValue)
    }

    @Test func `x32 calls are denied and other ABIs end the program`() throws {
        let filter = try SeccompSimulator(bytes: SeccompProfile.standard.compile(for: .x86_64).bytes)
        for number: UInt32 in [0, 1, 59, 520] {
            let x32 = CallData(0x4000_0000 | number, architecture: SystemCallABI.x86_64.auditNumber)
            #expect(try filter.verdict(x32) == Self.denied.returnValue)
            for architecture: UInt32 in [0x4000_0003, SystemCallABI.arm64.auditNumber, 0] {
                #expect(try filter.verdict(CallData(number, architecture: architecture)) == 0x8000_0000)
            }
        }
    }
}
