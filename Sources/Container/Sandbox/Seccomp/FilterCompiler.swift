internal import Linux

// From a profile to a filter.
//
// The usual filter asks "is it call 0? is it call 1? ..." for 360 calls, and the kernel runs a new filter once for
// every number before it accepts it: 300 microseconds. Sorted by number, though, calls that are treated alike form a
// few dozen ranges, which a binary search tells apart: under 30 microseconds, and no call waits for more than a few
// comparisons.
//
// Invariants
// 1. The ABI is checked before anything else: a number means nothing without it.
// 2. Every number has a verdict, also those that no kernel uses yet.
// 3. Equal profiles give equal bytes.
// Tests: Tests/SandboxTests/SeccompFilterTests.swift, SeccompLibseccompTests.swift, SeccompFuzzTests.swift.

/// What becomes of names in a profile that the ABI has no call for.
package enum UnknownCalls: Sendable {
    /// They are left out and reported in `SeccompFilter.skippedNames`: profiles are written for many ABIs and
    /// kernels at once.
    case skip
    /// They are an error.
    case refuse
}

extension SeccompProfile {
    /// The filter that enforces this profile for programs of this ABI.
    ///
    /// - Throws: `SeccompError` when a rule makes no sense or the kernel would not take so long a filter.
    package func compile(
        for abi: SystemCallABI = .native, unknownCalls: UnknownCalls = .skip, flags: SeccompFlags = .allowSpeculation
    ) throws(SeccompError) -> SeccompFilter {
        try checkActions()
        let table = try RuleTable(rules, calls: SystemCalls.of(abi))
        if unknownCalls == .refuse && !table.skippedNames.isEmpty { throw .unknownCalls(table.skippedNames) }

        var graph = FilterGraph()
        let ranges = numberRanges(of: table, abi, in: &graph)
        let search = ranges.search(in: &graph)
        let foreign = graph.verdict(foreignAction)
        let root = graph.decide(.architecture, .equal, abi.auditNumber, yes: search, no: foreign)
        let instructions = FilterLayout.instructions(of: graph, from: root)
        guard instructions.count <= SeccompFilter.instructionLimit else {
            throw .filterTooLong(instructions: instructions.count)
        }
        return SeccompFilter(
            instructions: instructions, flags: flags, skippedNames: table.skippedNames,
            rangeCount: ranges.ranges.count)
    }

    private func checkActions() throws(SeccompError) {
        let general = [defaultAction, unnamedAction, x32Action, foreignAction].compactMap(\.self)
        for action in general + rules.map(\.action) {
            if case .errno(let code) = action, !(0...4095).contains(code.rawValue) {
                throw .errnoOutOfRange(code.rawValue)
            }
        }
    }

    private func numberRanges(
        of table: RuleTable, _ abi: SystemCallABI, in graph: inout FilterGraph
    ) -> NumberRanges {
        let unnamed = graph.verdict(unnamedAction ?? defaultAction)
        let undecided = graph.verdict(defaultAction)
        let calls = SystemCalls.of(abi)
        var ranges = NumberRanges(all: unnamed)
        for number in 0...calls.highest {
            if calls.name(of: number) == nil {
                ranges.set(from: number, unnamed)
            } else {
                ranges.set(from: number, graph.decide(among: table.rules(for: number), otherwise: undecided))
            }
        }
        ranges.set(from: calls.highest + 1, unnamed)
        if abi == .x86_64 {
            ranges.set(from: x32Bit, graph.verdict(x32Action ?? defaultAction))
            // -1 is what a tracer sets a call's number to so that it is not made.
            ranges.set(from: .max, unnamed)
        }
        return ranges
    }
}

/// Set in the number of an x32 call (__X32_SYSCALL_BIT of asm/unistd.h).
private let x32Bit: UInt32 = 0x4000_0000

/// The rules of a profile by the number of the call that they are for.
private struct RuleTable {
    private(set) var skippedNames: [String] = []
    private var byNumber: [UInt32: [SeccompRule]] = [:]

    init(_ rules: [SeccompRule], calls: SystemCalls) throws(SeccompError) {
        var skipped: Set<String> = []
        for rule in rules {
            for name in rule.calls {
                if let condition = rule.conditions.first(where: { !(0...5).contains($0.index) }) {
                    throw .noSuchArgument(call: name, index: condition.index)
                }
                if let number = calls.number(of: name) {
                    byNumber[number, default: []].append(rule)
                } else if skipped.insert(name).inserted {
                    skippedNames.append(name)
                }
            }
        }
    }

    func rules(for number: UInt32) -> [SeccompRule] { byNumber[number] ?? [] }
}

extension FilterGraph {
    /// The verdict of the rule that decides a call: see SeccompProfile.swift.
    fileprivate mutating func decide(among rules: [SeccompRule], otherwise: Node) -> Node {
        if let rule = rules.first(where: \.conditions.isEmpty) { return verdict(rule.action) }
        var next = otherwise
        for rule in rules.reversed() {
            var matched = verdict(rule.action)
            for condition in rule.conditions.reversed() { matched = check(condition, yes: matched, no: next) }
            next = matched
        }
        return next
    }
}
