import Linux
import TestKit
import Testing

@testable import Sandbox

/// Filters of random profiles decide as the rules say.
@Suite struct `Random seccomp profiles` {
    @Test(arguments: 0..<120)
    func `a filter agrees with the rules it was made of`(seed: UInt64) throws {
        var chance = SeededChance(seed: 1000 + seed)
        let abi = [SystemCallABI.x86_64, .arm64][Int(seed % 2)]
        let profile = SeccompProfile.random(shape: .free, using: &chance)
        let filter = try SeccompSimulator(bytes: profile.compile(for: abi).bytes)
        var calls = profile.tellingCalls(abi, using: &chance)
        calls += (0...500).map { CallData($0, architecture: abi.auditNumber) }
        for _ in 0..<1000 {
            let number = UInt32.random(in: 0...UInt32.max >> UInt32.random(in: 0...31, using: &chance), using: &chance)
            let arguments = (0..<6).map { _ in UInt64.random(in: 0...UInt64.max, using: &chance) }
            let isForeign = Int.random(in: 0..<8, using: &chance) == 0
            calls.append(CallData(number, arguments, architecture: isForeign ? 0x4000_0003 : abi.auditNumber))
        }
        #expect(try disagreements(calls, filter.verdict, SeccompOracle(profile, abi).verdict) == [], "\(chance)")
    }

    @Test func `the oracle tells conditions apart`() {
        // Without this the tests above would also pass for a generator that only makes profiles without conditions.
        var chance = SeededChance(seed: 7)
        var verdicts: [UInt32: Set<UInt32>] = [:]
        for _ in 0..<20 {
            let profile = SeccompProfile.random(shape: .free, using: &chance)
            let oracle = SeccompOracle(profile)
            for call in profile.tellingCalls(using: &chance) {
                verdicts[call.number, default: []].insert(oracle.verdict(call))
            }
        }
        #expect(verdicts.values.filter { $0.count > 1 }.count > 20)
    }
}

/// What kinds of rules a random profile has.
enum ProfileShape {
    /// Everything that a profile can say.
    case free
    /// What libseccomp 2.5 decides as its rules say: for one call one action, and either one rule with conditions on
    /// distinct arguments or several values of the same argument. Its tree of other alternatives does not come
    /// back from a branch that failed: [a0 < 9, a1 == 1] or [a0 < 99] refuses a0 = 0, a1 = 0, and "less than 2^32 - 1"
    /// beside "at least 2^64 - 1" allows 2^32 - 1.
    case soundInLibseccomp
}

extension SeccompProfile {
    /// A profile with some calls decided by number and some by argument.
    static func random(shape: ProfileShape, using chance: inout some RandomNumberGenerator) -> SeccompProfile {
        let actions: [SeccompAction] = [
            .allow, .log, .errno(.notPermitted), .errno(.notImplemented), .trace(7), .trap, .killThread, .killProcess,
        ]
        let names = SystemCalls.of(.native).numbers.keys.sorted().shuffled(using: &chance)
        var profile = SeccompProfile(
            defaultAction: actions.randomElement(using: &chance)!,
            unnamedAction: Bool.random(using: &chance) ? actions.randomElement(using: &chance)! : nil)
        profile.x32Action = Bool.random(using: &chance) ? actions.randomElement(using: &chance)! : nil
        profile.foreignAction = actions.randomElement(using: &chance)!
        let cut = Int.random(in: 0..<names.count - 12, using: &chance)
        for action in actions {
            profile.rules.append(SeccompRule(names[..<cut].filter { _ in chance.next() % 8 == 0 }, action))
        }
        if shape == .soundInLibseccomp { profile.keepFirstRulePerCall() }
        for name in names[cut..<cut + 12] {
            let same = actions.filter { $0 != profile.defaultAction }.randomElement(using: &chance)!
            for conditions in alternatives(shape, using: &chance) {
                let action = shape == .free ? actions.randomElement(using: &chance)! : same
                profile.rules.append(SeccompRule([name], action, when: conditions))
            }
        }
        return profile
    }

    private static func alternatives(
        _ shape: ProfileShape, using chance: inout some RandomNumberGenerator
    ) -> [[ArgumentCondition]] {
        let count = Int.random(in: 1...4, using: &chance)
        switch shape {
        case .free:
            return (0..<count).map { _ in
                (0..<Int.random(in: 1...4, using: &chance)).map { _ in
                    .random(Int.random(in: 0..<6, using: &chance), shape, using: &chance)
                }
            }
        case .soundInLibseccomp where Bool.random(using: &chance):
            return [(0..<6).shuffled(using: &chance).prefix(count).map { .random($0, shape, using: &chance) }]
        case .soundInLibseccomp:
            let index = Int.random(in: 0..<6, using: &chance)
            return (0..<count).map { _ in [ArgumentCondition(index, .equal(.interesting(using: &chance)))] }
        }
    }

    private mutating func keepFirstRulePerCall() {
        var seen: Set<String> = []
        for index in rules.indices { rules[index].calls.removeAll { !seen.insert($0).inserted } }
    }
}

extension ArgumentCondition {
    fileprivate static func random(
        _ index: Int, _ shape: ProfileShape, using chance: inout some RandomNumberGenerator
    ) -> ArgumentCondition {
        let value = UInt64.interesting(using: &chance)
        let mask = UInt64.interesting(using: &chance)
        // Now and then a value with bits outside the mask: a comparison that no argument satisfies.
        let masked = shape == .free && chance.next() % 16 == 0 ? value : value & mask
        let choices: [Comparison] = [
            .equal(value), .notEqual(value), .less(value), .lessOrEqual(value), .greater(value),
            .greaterOrEqual(value), .maskedEqual(mask: mask, masked), .maskedNotEqual(mask: mask, masked),
        ]
        // libseccomp has no word for the last one.
        let known = shape == .free ? choices : choices.dropLast()
        return ArgumentCondition(index, known.randomElement(using: &chance)!)
    }
}

extension UInt64 {
    /// A number with zeros, ones or chance in either half.
    fileprivate static func interesting(using chance: inout some RandomNumberGenerator) -> UInt64 {
        func half() -> UInt64 {
            switch chance.next() % 4 {
            case 0: 0
            case 1: 0xFFFF_FFFF
            case 2: chance.next() % 4
            default: chance.next() >> 32
            }
        }
        return half() << 32 | half()
    }
}
