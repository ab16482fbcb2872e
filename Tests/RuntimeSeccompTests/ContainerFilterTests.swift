import CLibseccomp
import JSON
import Linux
import OCI
import TestKit
import Testing

@testable import RuntimeSeccomp
@testable import Sandbox

/// Filters of containers decide as those that libseccomp makes of the same profile, as other runtimes use it.
@Suite struct ContainerFilterTests {
    static func spec(_ seccomp: JSONValue) throws -> SeccompSpec {
        let config: JSONValue = [
            "ociVersion": "1.2.0", "root": ["path": "r"],
            "process": ["user": ["uid": 0, "gid": 0], "args": ["a"], "cwd": "/"],
            "linux": ["namespaces": [["type": "mount"]], "seccomp": seccomp],
        ]
        return try #require(try RuntimeSpec(JSONWriter.bytes(config)).linux.seccomp)
    }

    /// Names that the installed libseccomp knows on one of the ABIs here.
    static let names: [String] = {
        let all = SystemCallABI.allCases.filter { $0 != .arm64 }.flatMap { SystemCalls.of($0).numbers.keys }
        return Set(all).filter { seccomp_syscall_resolve_name($0) != __NR_SCMP_ERROR_OURS }.sorted()
    }()

    /// Calls by every ABI, with arguments at which a wrong comparison shows.
    private func calls(_ arguments: [UInt64] = [], using chance: inout SeededChance) -> [CallData] {
        var calls: [CallData] = []
        let telling: [UInt64] = [0, 1, 2, 5, 40, 0xFFFF_FFFF] + arguments
        for number in UInt32(0)...600 {
            for architecture: UInt32 in [0xC000_003E, 0x4000_0003, 0xC000_00B7, 0x4000_0028] {
                calls.append(CallData(number, architecture: architecture))
            }
            calls.append(CallData(0x4000_0000 | number))
            for _ in 0..<6 {
                let values = (0..<6).map { _ in telling.randomElement(using: &chance)! }
                calls.append(CallData(number, values))
                let low = values.map { $0 & 0xFFFF_FFFF }
                calls.append(CallData(number, low, architecture: 0x4000_0003))
                calls.append(CallData(0x4000_0000 | number, low))
            }
        }
        return calls
    }

    /// Whether a number has a name that only newer kernels than libseccomp have, or none: there ENOSYS is ours to say.
    private func isNew(_ call: CallData) -> Bool {
        let (abi, number): (SystemCallABI, UInt32)
        switch (call.architecture, call.number) {
        case (0x4000_0003, let all): (abi, number) = (.i386, all)
        case (0xC000_003E, 0x4000_0000...): (abi, number) = (.x32, call.number & 0x3FFF_FFFF)
        case (0xC000_003E, let all): (abi, number) = (.x86_64, all)
        default: return false
        }
        return SystemCalls.of(abi).name(of: number).map { !Self.names.contains($0) } ?? true
    }

    private func compare(_ seccomp: JSONValue, _ arguments: [UInt64] = [], seed: UInt64 = 1) throws {
        let spec = try Self.spec(seccomp)
        let theirs = try SeccompSimulator(bytes: libseccomp(spec))
        let ours = try SeccompSimulator(bytes: ContainerFilter(spec).program)
        var chance = SeededChance(seed: seed)
        var wrong: [String] = []
        for call in calls(arguments, using: &chance) where !isNew(call) {
            let (mine, other) = (try ours.verdict(call), try theirs.verdict(call))
            if mine != other { wrong.append("\(call): \(mine) and not \(other)") }
        }
        #expect(wrong.prefix(5) == [], "\(wrong.count) of them")
    }

    static let everyABI: JSONValue = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]

    #if arch(x86_64)
        @Test(arguments: [
            everyABI, ["SCMP_ARCH_X86_64"], [], ["SCMP_ARCH_X86"], ["SCMP_ARCH_X32", "SCMP_ARCH_MIPSEL64"],
        ])
        func `a profile decides as the filter that libseccomp makes of it`(architectures: JSONValue) throws {
            try compare(
                [
                    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": architectures,
                    "syscalls": [
                        [
                            "names": [
                                "read", "write", "openat", "socketcall", "ipc", "stat64", "waitpid", "clock_gettime64",
                                "ioctl",
                                "execve", "preadv", "bind", "shmget", "accept", "semop", "recvmmsg", "exit_group",
                                "mmap2",
                                "nosuchcall", "rt_sigaction", "futex",
                            ], "action": "SCMP_ACT_ALLOW",
                        ],
                        [
                            "names": ["personality"], "action": "SCMP_ACT_ALLOW",
                            "args": [["index": 0, "value": 0xFFFF_FFFF, "op": "SCMP_CMP_EQ"]],
                        ],
                        [
                            "names": ["clone"], "action": "SCMP_ACT_ALLOW",
                            "args": [["index": 0, "value": 2_114_060_288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"]],
                        ],
                        ["names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38],
                        ["names": ["ptrace"], "action": "SCMP_ACT_TRACE", "errnoRet": 7],
                        ["names": ["mount", "umount"], "action": "SCMP_ACT_LOG"],
                        ["names": ["bpf"], "action": "SCMP_ACT_KILL_PROCESS"],
                        ["names": ["kexec_load"], "action": "SCMP_ACT_KILL"],
                        ["names": ["unshare"], "action": "SCMP_ACT_TRAP"],
                        // The default again: no rule at all.
                        ["names": ["getpid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1],
                        ["names": ["getpid"], "action": "SCMP_ACT_ALLOW"],
                    ],
                ], [2_114_060_288, 0x1000_0000])
        }

        @Test(arguments: 0..<12)
        func `random profiles decide as with libseccomp`(seed: UInt64) throws {
            var chance = SeededChance(seed: seed)
            var arguments: [UInt64] = []
            let json = Self.random(using: &chance, arguments: &arguments)
            try compare(json, arguments, seed: seed)
        }

        @Test func `conditions on a call through socketcall hold for what is left of them`() throws {
            try compare([
                "defaultAction": "SCMP_ACT_ERRNO", "architectures": Self.everyABI,
                "syscalls": [
                    [
                        "names": ["socket"], "action": "SCMP_ACT_ALLOW",
                        "args": [["index": 0, "value": 40, "op": "SCMP_CMP_NE"]],
                    ]
                ],
            ])
        }
    #endif

    @Test func `calls of newer kernels are answered with ENOSYS where the default is no`() throws {
        func verdict(_ action: String, _ number: UInt32) throws -> UInt32 {
            let filter = try ContainerFilter(Self.spec(["defaultAction": .string(action), "listenerPath": "/x"]))
            return try SeccompSimulator(bytes: filter.program).verdict(CallData(number))
        }
        for action in ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"] {
            #expect(try verdict(action, 511) == 0x0005_0026)
            #expect(try verdict(action, 0) != 0x0005_0026)
        }
        for action in ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY"] {
            #expect(try verdict(action, 511) == verdict(action, 0))
        }
    }

    @Test func `actions, flags and the listener`() throws {
        func filter(_ flags: JSONValue, notifies: Bool) throws -> ContainerFilter {
            try ContainerFilter(
                Self.spec([
                    "defaultAction": "SCMP_ACT_ALLOW", "flags": flags, "listenerPath": "/x",
                    "syscalls": notifies ? [["names": ["mount"], "action": "SCMP_ACT_NOTIFY"]] : [],
                ]))
        }
        let all: JSONValue = .array(SeccompSpec.Flag.allCases.map { .string($0.rawValue) })
        #expect(try filter([], notifies: false).flags == 4)
        #expect(try filter([], notifies: true).flags == 4 | 8)
        #expect(try filter(["SECCOMP_FILTER_FLAG_LOG"], notifies: false).flags == 2)
        #expect(try filter(all, notifies: false).flags == 1 | 2 | 4)
        #expect(try filter(all, notifies: true).flags == 1 | 2 | 4 | 8 | 16 | 32)
        #expect(try filter([], notifies: true).hasListener && !filter([], notifies: false).hasListener)
        let number = try #require(SystemCalls.of(.native).number(of: "mount"))
        #expect(
            try SeccompSimulator(bytes: filter([], notifies: true).program).verdict(CallData(number)) == 0x7FC0_0000)
    }

    @Test func `the kernel is asked for its flags`() {
        // Linux 5.19 has all; older ones lack the last.
        #expect(Set(ContainerFilter.supportedFlags).isSuperset(of: [.synchronizeThreads, .log, .allowSpeculation]))
        #expect(!kernelTakesSeccompFlags(1 << 30) && kernelTakesSeccompFlags(0))
    }

    @Test func `several conditions on one argument are alternatives`() throws {
        let filter = try ContainerFilter(
            Self.spec([
                "defaultAction": "SCMP_ACT_ERRNO",
                "syscalls": [
                    [
                        "names": ["personality"], "action": "SCMP_ACT_ALLOW",
                        "args": [
                            ["index": 0, "value": 0, "op": "SCMP_CMP_EQ"],
                            ["index": 0, "value": 8, "op": "SCMP_CMP_EQ"],
                        ],
                    ]
                ],
            ]))
        let simulator = try SeccompSimulator(bytes: filter.program)
        let number = try #require(SystemCalls.of(.native).number(of: "personality"))
        let allowed = try (0...10).filter { try simulator.verdict(CallData(number, [UInt64($0)])) == 0x7FFF_0000 }
        #expect(allowed == [0, 8])
    }

    @Test func `names that no ABI has are left out and told`() throws {
        let filter = try ContainerFilter(
            Self.spec([
                "defaultAction": "SCMP_ACT_ALLOW", "architectures": Self.everyABI,
                "syscalls": [["names": ["raed", "socketcall", "read"], "action": "SCMP_ACT_LOG"]],
            ]))
        #expect(filter.skippedNames == (SystemCallABI.native == .x86_64 ? ["raed"] : ["raed", "socketcall"]))
    }

    @Test func `the kernel takes the filter and its listener answers a call`() async throws {
        let filter = try ContainerFilter(
            Self.spec([
                "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x", "architectures": Self.everyABI,
                "flags": [
                    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
                ],
                "syscalls": [["names": ["getppid"], "action": "SCMP_ACT_NOTIFY"]],
            ]))
        let calls = SystemCalls.of(.native)
        let script = """
            my ($seccomp, $prctl, $getppid, $flags, $hex) = @ARGV;
            my $program = pack("H*", $hex);
            syscall($prctl + 0, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
            my $fprog = pack("S x6 P", length($program) / 8, $program);
            my $listener = syscall($seccomp + 0, 1, $flags + 0, $fprog);
            $listener >= 0 or die "seccomp: $!";
            pipe(my $r, my $w);
            my $child = fork;
            if ($child == 0) { print $w syscall($getppid + 0), "\\n"; close $w; exit 0; }
            open(my $fd, "+<&=", $listener) or die "fd: $!";
            my $call = "\\0" x 80;
            ioctl($fd, 0xc0502100, $call) or die "receive: $!";
            my ($id, $pid, $f, $nr) = unpack("Q L L l", $call);
            my $answer = pack("Q q l L", $id, 4711, 0, 0);
            ioctl($fd, 0xc0182101, $answer) or die "send: $!";
            close $w;
            print $nr == $getppid && $pid == $child ? "asked " : "wrong ", <$r>;
            waitpid $child, 0;
            """
        let numbers = try ["seccomp", "prctl", "getppid"].map { String(try #require(calls.number(of: $0))) }
        let hex = filter.program.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let outcome = try await CommandRunner.run(["perl", "-e", script] + numbers + [String(filter.flags), hex])
        #expect(outcome.text == "asked 4711\n", "\(outcome.errorText)")
    }

    // MARK: Random profiles

    private static func random(using chance: inout SeededChance, arguments: inout [UInt64]) -> JSONValue {
        let actions: [JSONValue] = [
            "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
            "SCMP_ACT_ERRNO",
            "SCMP_ACT_TRACE",
        ]
        let byDefault = actions.randomElement(using: &chance)!
        let names = names.shuffled(using: &chance)
        var rules: [JSONValue] = []
        for (index, action) in actions.enumerated() where action != byDefault {
            rules.append(["names": .array(names[index * 20..<index * 20 + 20].map { .string($0) }), "action": action])
        }
        // One rule a call, on distinct arguments: with more, libseccomp 2.5 strays from its own rules. Calls within
        // others have several already.
        for name in names[200..<220]
        where MultiplexedCalls.byName[name] == nil && !["ipc", "socketcall"].contains(name) {
            let conditions: [JSONValue] = (0..<6).shuffled(using: &chance).prefix(Int.random(in: 1...3, using: &chance))
                .map { index in
                    let op = SeccompSpec.Operator.allCases.randomElement(using: &chance)!
                    let value =
                        UInt64.random(in: 0...0xFFFF_FFFF, using: &chance) >> UInt64.random(in: 0...31, using: &chance)
                    let two = op == .maskedEqual ? value & UInt64.random(in: 0...0xFFFF_FFFF, using: &chance) : 0
                    arguments += [value, two, value &+ 1, value &- 1 & 0xFFFF_FFFF]
                    return [
                        "index": .integer(Int64(index)), "op": .string(op.rawValue), "value": .integer(Int64(value)),
                        "valueTwo": .integer(Int64(two)),
                    ]
                }
            let action = actions.filter { $0 != byDefault }.randomElement(using: &chance)!
            rules.append(["names": [.string(name)], "action": action, "args": .array(conditions)])
        }
        return ["defaultAction": byDefault, "architectures": everyABI, "syscalls": .array(rules)]
    }
}

/// libseccomp's word for a name that it does not know (__NR_SCMP_ERROR).
private let __NR_SCMP_ERROR_OURS: CInt = -1

/// The filter that libseccomp makes of a profile, used as other runtimes use it.
private func libseccomp(_ spec: SeccompSpec) throws -> [UInt8] {
    let profile = SeccompProfile(spec)
    let context = try #require(seccomp_init(profile.defaultAction.returnValue))
    defer { seccomp_release(context) }
    for architecture in spec.architectures {
        let token = seccomp_arch_resolve_name(architecture.rawValue.dropFirst("SCMP_ARCH_".count).lowercased())
        try #require(token != 0)
        let result = seccomp_arch_add(context, token)
        try #require(result == 0 || result == -17)  // EEXIST: the native one
    }
    for rule in profile.rules {
        for name in rule.calls {
            let number = seccomp_syscall_resolve_name(name)
            if number == __NR_SCMP_ERROR_OURS { continue }
            let comparisons = rule.conditions.map(\.forLibseccomp)
            let result = seccomp_rule_add_array(
                context, rule.action.returnValue, number, CUnsignedInt(comparisons.count), comparisons)
            try #require(result == 0, "\(name) \(rule.conditions): \(Errno(-result))")
        }
    }
    var pipe = try Files.pipe()
    let reader = pipe.takeReader()
    try export(context, to: pipe.takeWriter())
    return try Files.readAll(reader.raw)
}

private func export(_ context: scmp_filter_ctx, to writer: consuming OwnedFD) throws {
    try #require(seccomp_export_bpf(context, writer.raw) == 0)
    writer.close()
}

extension ArgumentCondition {
    fileprivate var forLibseccomp: scmp_arg_cmp {
        let index = CUnsignedInt(index)
        return switch comparison {
        case .equal(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
        case .notEqual(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_NE, datum_a: value, datum_b: 0)
        case .less(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_LT, datum_a: value, datum_b: 0)
        case .lessOrEqual(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_LE, datum_a: value, datum_b: 0)
        case .greater(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
        case .greaterOrEqual(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_GE, datum_a: value, datum_b: 0)
        case .maskedEqual(let mask, let value):
            scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        case .maskedNotEqual: preconditionFailure("the specification has no word for it")
        }
    }
}
