@testable import Sandbox

/// What a profile says about a call, read straight from its rules: what any filter for it has to agree with.
struct SeccompOracle {
    private let profile: SeccompProfile
    private let abi: SystemCallABI
    private let rules: [String: [SeccompRule]]

    init(_ profile: SeccompProfile, _ abi: SystemCallABI = .native) {
        self.profile = profile
        self.abi = abi
        var rules: [String: [SeccompRule]] = [:]
        for rule in profile.rules {
            for name in rule.calls { rules[name, default: []].append(rule) }
        }
        self.rules = rules
    }

    func verdict(_ call: CallData) -> UInt32 { action(call).returnValue }

    private func action(_ call: CallData) -> SeccompAction {
        if call.architecture != abi.auditNumber { return profile.foreignAction }
        if abi == .x86_64 && call.number >= 0x4000_0000 && call.number != .max {
            return profile.x32Action ?? profile.defaultAction
        }
        guard let name = SystemCalls.of(abi).name(of: call.number) else {
            return profile.unnamedAction ?? profile.defaultAction
        }
        let mine = rules[name] ?? []
        let decides =
            mine.first { $0.conditions.isEmpty }
            ?? mine.first { $0.conditions.allSatisfy { $0.holds(call.arguments[$0.index]) } }
        return decides?.action ?? profile.defaultAction
    }
}

/// The calls among these that two ways to decide them disagree about.
func disagreements(
    _ calls: [CallData], _ first: (CallData) throws -> UInt32, _ second: (CallData) throws -> UInt32
) rethrows -> [CallData] {
    try calls.filter { try first($0) != second($0) }
}

extension ArgumentCondition {
    func holds(_ argument: UInt64) -> Bool {
        switch comparison {
        case .equal(let value): argument == value
        case .notEqual(let value): argument != value
        case .less(let value): argument < value
        case .lessOrEqual(let value): argument <= value
        case .greater(let value): argument > value
        case .greaterOrEqual(let value): argument >= value
        case .maskedEqual(let mask, let value): argument & mask == value
        case .maskedNotEqual(let mask, let value): argument & mask != value
        }
    }

    /// Arguments at which a wrong comparison shows: the value and its neighbours, in either half, with and without
    /// the mask.
    var tellingArguments: [UInt64] {
        let (mask, value): (UInt64, UInt64) =
            switch comparison {
            case .equal(let value), .notEqual(let value), .less(let value), .lessOrEqual(let value),
                .greater(let value), .greaterOrEqual(let value):
                (.max, value)
            case .maskedEqual(let mask, let value), .maskedNotEqual(let mask, let value): (mask, value)
            }
        var values = [value, value &+ 1, value &- 1, value | ~mask, value ^ 1 << 32, value ^ 1 << 63, ~value, 0, .max]
        values += (0..<64).map { value ^ 1 << UInt64($0) }
        values.append(value >> 32 | value << 32)
        return values
    }
}

extension SeccompProfile {
    /// Calls that reach every rule with conditions, with arguments near the values that it compares with.
    ///
    /// - Parameter limit: a random part of them when there are more.
    func tellingCalls(
        _ abi: SystemCallABI = .native, limit: Int = 5000, using generator: inout some RandomNumberGenerator
    ) -> [CallData] {
        var calls: [CallData] = []
        for name in Set(rules.filter { !$0.conditions.isEmpty }.flatMap(\.calls)).sorted() {
            guard let number = SystemCalls.of(abi).number(of: name) else { continue }
            let conditions = rules.filter { $0.calls.contains(name) }.flatMap(\.conditions)
            var choices = [[UInt64]](repeating: [0, .max], count: 6)
            for condition in conditions { choices[condition.index] += condition.tellingArguments }
            // Every value of every argument once with the others zero, and as often again at random.
            for (index, values) in choices.enumerated() {
                for value in values {
                    var call = CallData(number, architecture: abi.auditNumber)
                    call.arguments[index] = value
                    calls.append(call)
                    call.arguments = choices.map { $0.randomElement(using: &generator)! }
                    calls.append(call)
                }
            }
        }
        return calls.count <= limit ? calls : Array(calls.shuffled(using: &generator).prefix(limit))
    }
}
