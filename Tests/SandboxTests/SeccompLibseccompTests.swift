import CLibseccomp
import Linux
import TestKit
import Testing

@testable import Sandbox

/// Our filters decide as the filters that libseccomp makes of the same rules.
@Suite struct `Agreement with libseccomp` {
    static let capabilities: [Capabilities] = [
        [], .dockerDefault, Capabilities(names: ["SYS_ADMIN"])!,
        Capabilities(names: ["SYS_PTRACE", "BPF", "SYS_NICE"])!, .all,
    ]

    @Test(arguments: capabilities)
    func `the standard profile agrees for every number, ABI and telling argument`(capabilities: Capabilities) throws {
        var profile = SeccompProfile.standard(capabilities: capabilities)
        profile.x32Action = profile.foreignAction  // libseccomp knows one action for both
        let theirs = try SeccompSimulator(bytes: libseccomp(profile))
        let ours = try SeccompSimulator(bytes: profile.compile().bytes)
        var chance = SeededChance(seed: 1)
        var calls = profile.tellingCalls(using: &chance)
        calls += (0...600).map { CallData($0) }
        calls += (0...600).map { CallData(0x4000_0000 | $0) }
        for architecture: UInt32 in [0, 0x4000_0003, 0xC000_00B7, 0xC000_003E, 0x4000_0028, .max] {
            calls += (0...600).map { CallData($0, architecture: architecture) }
        }
        #expect(try disagreements(calls, ours.verdict, theirs.verdict) == [])
    }

    @Test func `numbers that no kernel has agree up to the highest`() throws {
        var profile = SeccompProfile.standard
        profile.unnamedAction = nil
        profile.x32Action = profile.foreignAction
        let theirs = try SeccompSimulator(bytes: libseccomp(profile))
        let ours = try SeccompSimulator(bytes: profile.compile().bytes)
        let numbers: [UInt32] = [
            601, 1000, 0xFFFF, 0x10000, 0x3FFF_FFFF, 0x4000_0000, 0x4000_0200, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE,
            .max,
        ]
        #expect(try disagreements(numbers.map { CallData($0) }, ours.verdict, theirs.verdict) == [])
    }

    @Test(arguments: 0..<40)
    func `random profiles agree`(seed: UInt64) throws {
        var chance = SeededChance(seed: seed)
        var profile = SeccompProfile.random(shape: .soundInLibseccomp, using: &chance)
        profile.x32Action = profile.foreignAction
        let theirs = try SeccompSimulator(bytes: libseccomp(profile))
        let ours = try SeccompSimulator(bytes: profile.compile().bytes)
        let calls = profile.tellingCalls(using: &chance) + (0...600).map { CallData($0) }
        #expect(try disagreements(calls, ours.verdict, theirs.verdict) == [], "\(chance)")
    }

    @Test(arguments: SystemCallABI.allCases)
    func `names have the numbers that libseccomp gives them`(abi: SystemCallABI) {
        // Also libseccomp's name for it: SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_X86; and SCMP_ARCH_X32.
        let architecture = abi == .x32 ? 0x4000_003E : abi.auditNumber
        let bit: UInt32 = abi == .x32 ? 0x4000_0000 : 0
        var compared = 0
        for (name, number) in SystemCalls.of(abi).numbers {
            let theirs = seccomp_syscall_resolve_name_arch(architecture, name)
            if abi == .i386, let inner = MultiplexedCalls.byName[name] {
                // Its own number for a call that can be made in two ways: -101 is the first of socketcall, -201 of ipc.
                #expect(Int(theirs) == (inner.call == 102 ? -100 : -200) - Int(inner.first), "\(name)")
                continue
            }
            // Negative: a call that this ABI lacks, or that is newer than the installed library.
            if theirs < 0 {
                #expect(number >= 450 || number == 335 || number == 336, "\(name)")
                continue
            }
            compared += 1
            #expect(Int64(number | bit) == Int64(theirs), "\(name)")
        }
        #expect(compared > 290)
        // And the other way: a number that libseccomp can name, the table can.
        for number in 0...UInt32(600) {
            guard let name = seccomp_syscall_resolve_num_arch(architecture, CInt(number | bit)) else { continue }
            defer { name.deallocate() }
            #expect(SystemCalls.of(abi).name(of: number) == String(cString: name))
        }
    }
}

/// The filter that libseccomp makes of this profile, for native calls numbered 0 to 600.
private func libseccomp(_ profile: SeccompProfile) throws -> [UInt8] {
    let context = try #require(seccomp_init(profile.defaultAction.returnValue))
    defer { seccomp_release(context) }
    try #require(seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, profile.foreignAction.returnValue) == 0)
    let calls = SystemCalls.of(.native)
    // Rules that repeat the default are an error there, and left out by every runtime that uses it.
    for rule in profile.rules where rule.action != profile.defaultAction {
        let alternatives = expressible(rule.conditions)
        for number in rule.calls.compactMap(calls.number) {
            for conditions in alternatives {
                let comparisons = conditions.map(\.forLibseccomp)
                let result = seccomp_rule_add_array(
                    context, rule.action.returnValue, CInt(number), CUnsignedInt(comparisons.count), comparisons)
                try #require(result == 0, "\(rule.calls) \(conditions): \(Errno(-result))")
            }
        }
    }
    if let unnamed = profile.unnamedAction, unnamed != profile.defaultAction {
        for number in 0...UInt32(600) where calls.name(of: number) == nil {
            try #require(seccomp_rule_add_array(context, unnamed.returnValue, CInt(number), 0, nil) == 0)
        }
    }
    var pipe = try Files.pipe()
    let reader = pipe.takeReader()
    try export(context, to: pipe.takeWriter())
    return try Files.readAll(reader.raw)
}

/// Writes the program into a pipe, which holds 64 KiB: more than the longest program.
private func export(_ context: scmp_filter_ctx, to writer: consuming OwnedFD) throws {
    try #require(seccomp_export_bpf(context, writer.raw) == 0)
    writer.close()
}

/// The same conditions as alternatives without `maskedNotEqual`, which libseccomp lacks: "the lower half is none of
/// these" becomes one masked equality for each way to leave the paths of those values, bit by bit from the top.
private func expressible(_ conditions: [ArgumentCondition]) -> [[ArgumentCondition]] {
    var alternatives: [[ArgumentCondition]] = [[]]
    var excluded: [Int: [UInt64]] = [:]
    for condition in conditions {
        if case .maskedNotEqual(let mask, let value) = condition.comparison {
            precondition(mask == 0xFFFF_FFFF, "only conditions on ints are written in libseccomp's terms")
            excluded[condition.index, default: []].append(value)
        } else {
            alternatives = alternatives.map { $0 + [condition] }
        }
    }
    for (index, values) in excluded {
        var others: [ArgumentCondition] = []
        for bit in (0..<32).reversed() {
            let mask = UInt64(0xFFFF_FFFF) & ~((1 << UInt64(bit)) - 1)
            let prefixes = Set(values.map { $0 & mask })
            for value in Set(values.map { ($0 ^ 1 << UInt64(bit)) & mask }).subtracting(prefixes) {
                others.append(ArgumentCondition(index, .maskedEqual(mask: mask, value)))
            }
        }
        alternatives = alternatives.flatMap { known in others.map { known + [$0] } }
    }
    return alternatives
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
        case .maskedNotEqual: preconditionFailure("made expressible before")
        }
    }
}
