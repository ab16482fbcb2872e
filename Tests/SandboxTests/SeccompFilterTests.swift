import Linux
import TestKit
import Testing

@testable import Sandbox

/// The shape of compiled filters, and what the compiler refuses.
@Suite struct `Seccomp filters` {
    static let capabilities: [Capabilities] = [[], .dockerDefault, Capabilities(names: ["SYS_ADMIN"])!, .all]

    @Test(arguments: capabilities, [SystemCallABI.x86_64, .arm64])
    func `the standard profile is short and its search logarithmic`(
        capabilities: Capabilities, abi: SystemCallABI
    ) throws {
        let profile = SeccompProfile.standard(capabilities: capabilities)
        let filter = try profile.compile(for: abi)
        #expect(filter.count < 150)
        let conditional = Set(
            profile.rules.filter { !$0.conditions.isEmpty }.flatMap(\.calls).compactMap(SystemCalls.of(abi).number))
        let simulator = try SeccompSimulator(bytes: filter.bytes)
        // Load and check the ABI, load the number, search, return.
        let bound = 4 + bits(filter.rangeCount - 1)
        for number in Array(0...UInt32(600)) + [0x3FFF_FFFF, 0x4000_0000, .max] where !conditional.contains(number) {
            #expect(try simulator.run(CallData(number, architecture: abi.auditNumber)).steps <= bound)
        }
        #expect(longestPath(filter.instructions) <= bound + 6)  // personality: a load and five comparisons
    }

    @Test func `neighbours that end alike are one range`() throws {
        let everything = try SeccompProfile(defaultAction: .allow).compile(for: .arm64)
        #expect(everything.rangeCount == 1)
        // Load and check the ABI, two verdicts: nothing left to search.
        #expect(everything.count == 4)
        // read, write, open, close, stat are 0 to 4.
        let profile = SeccompProfile(
            defaultAction: .errno(.notPermitted),
            rules: [SeccompRule(["close", "read"], .allow), SeccompRule(["write", "open", "stat"], .allow)])
        #expect(try profile.compile(for: .x86_64).rangeCount == 2)
    }

    @Test func `equal profiles give equal bytes`() throws {
        let once = try SeccompProfile.standard(capabilities: .dockerDefault).compile()
        let again = try SeccompProfile.standard(capabilities: .dockerDefault).compile()
        #expect(once.bytes == again.bytes)
        #expect(once.bytes.count == once.count * 8)
        var chance = SeededChance(seed: 3)
        var other = SeccompProfile.standard(capabilities: .dockerDefault)
        for index in other.rules.indices { other.rules[index].calls.shuffle(using: &chance) }
        #expect(try other.compile().bytes == once.bytes)
    }

    @Test(arguments: [20, 60, 150, 300])
    func `outcomes beyond the reach of a jump are reached by a detour`(alternatives: Int) throws {
        let profile = SeccompProfile.crowded(alternatives: alternatives)
        let filter = try profile.compile()
        #expect(filter.count > 6 * alternatives)
        let simulator = try SeccompSimulator(bytes: filter.bytes)
        var chance = SeededChance(seed: UInt64(alternatives))
        let calls = profile.tellingCalls(using: &chance) + (0...600).map { CallData($0) }
        #expect(try disagreements(calls, simulator.verdict, SeccompOracle(profile).verdict) == [], "\(chance)")
    }

    @Test func `a filter longer than the kernel takes is refused`() throws {
        #expect { try SeccompProfile.crowded(alternatives: 1000).compile() } throws: { error in
            guard case SeccompError.filterTooLong(let count) = error else { return false }
            return count > SeccompFilter.instructionLimit
        }
    }

    @Test func `unknown names are skipped and reported, or refused`() throws {
        let profile = SeccompProfile(
            defaultAction: .errno(.notPermitted),
            rules: [
                SeccompRule(["raed", "open", "write"], .allow), SeccompRule(["raed", "stat"], .log),
            ])
        #expect(try profile.compile(for: .x86_64).skippedNames == ["raed"])
        #expect(try profile.compile(for: .arm64).skippedNames == ["raed", "open", "stat"])
        #expect(throws: SeccompError.unknownCalls(["raed"])) {
            try profile.compile(for: .x86_64, unknownCalls: .refuse)
        }
        #expect(SeccompError.unknownCalls(["raed"]).description.contains("raed is no system call"))
    }

    @Test(arguments: [-1, 6])
    func `a condition on an argument that no call has is refused`(index: Int) {
        let profile = SeccompProfile(
            defaultAction: .allow, rules: [SeccompRule(["read"], .log, when: [.int(index, is: 1)])])
        #expect(throws: SeccompError.noSuchArgument(call: "read", index: index)) { try profile.compile() }
    }

    @Test(arguments: [CInt(-1), 4096])
    func `an errno that the kernel would change is refused`(number: CInt) throws {
        #expect(throws: SeccompError.errnoOutOfRange(number)) {
            try SeccompProfile(defaultAction: .errno(Errno(number))).compile()
        }
        _ = try SeccompProfile(defaultAction: .errno(Errno(4095))).compile()
    }
}

/// How many binary digits a number has.
private func bits(_ number: Int) -> Int { Int.bitWidth - number.leadingZeroBitCount }

/// The most instructions that any call could make the filter execute.
private func longestPath(_ instructions: [BPFInstruction]) -> Int {
    var longest = [Int](repeating: 0, count: instructions.count)
    for (at, step) in instructions.enumerated().reversed() {
        switch step.code {
        case BPFInstruction.verdict: longest[at] = 1
        case BPFInstruction.jump: longest[at] = 1 + longest[at + 1 + Int(step.operand)]
        case BPFInstruction.load, BPFInstruction.and: longest[at] = 1 + longest[at + 1]
        default: longest[at] = 1 + max(longest[at + 1 + Int(step.jumpTrue)], longest[at + 1 + Int(step.jumpFalse)])
        }
    }
    return longest[0]
}

extension SeccompProfile {
    /// A profile in which three calls are decided by many alternatives each, with several verdicts.
    fileprivate static func crowded(alternatives: Int) -> SeccompProfile {
        var profile = SeccompProfile(defaultAction: .errno(.notPermitted))
        for name in ["ioctl", "prctl", "fcntl"] {
            for value in 0..<UInt64(alternatives) {
                profile.rules.append(
                    SeccompRule(
                        [name], value % 3 == 0 ? .log : .allow,
                        when: [ArgumentCondition(0, .equal(value)), ArgumentCondition(1, .greater(value << 32 | 5))]))
            }
        }
        return profile
    }
}
