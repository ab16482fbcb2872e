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
        try compile(for: [abi], unknownCalls: unknownCalls, flags: flags)
    }

    /// The same for programs of several ABIs. A name is left out where its ABI lacks it, and skipped when all do.
    ///
    /// - Parameter abis: At least one; x32 counts only beside x86-64, whose calls it shares a filter with.
    package func compile(
        for abis: [SystemCallABI], unknownCalls: UnknownCalls = .skip, flags: SeccompFlags = .allowSpeculation
    ) throws(SeccompError) -> SeccompFilter {
        try checkActions()
        var skippedNames: [String]?
        var graph = FilterGraph()
        var root = graph.verdict(foreignAction)
        var rangeCount = 0
        for abi in abis where abi != .x32 {
            let table = try RuleTable(rules, abi)
            var skipped = table.skippedNames
            var x32: RuleTable?
            if abi == .x86_64, abis.contains(.x32) {
                let table = try RuleTable(rules, .x32)
                skipped = skipped.filter(Set(table.skippedNames).contains)
                x32 = table
            }
            skippedNames = skippedNames.map { $0.filter(Set(skipped).contains) } ?? skipped
            let ranges = numberRanges(of: table, abi, x32: x32, in: &graph)
            rangeCount += ranges.ranges.count
            let search = ranges.search(in: &graph)
            root = graph.decide(.architecture, .equal, abi.auditNumber, yes: search, no: root)
        }
        let skipped = skippedNames ?? []
        if unknownCalls == .refuse && !skipped.isEmpty { throw .unknownCalls(skipped) }
        let instructions = FilterLayout.instructions(of: graph, from: root)
        guard instructions.count <= SeccompFilter.instructionLimit else {
            throw .filterTooLong(instructions: instructions.count)
        }
        return SeccompFilter(
            instructions: instructions, flags: flags, skippedNames: skipped, rangeCount: rangeCount)
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
        of table: RuleTable, _ abi: SystemCallABI, x32: RuleTable?, in graph: inout FilterGraph
    ) -> NumberRanges {
        let unnamed = graph.verdict(unnamedAction ?? defaultAction)
        var ranges = NumberRanges(all: unnamed)
        addCalls(of: abi, table, from: 0, to: &ranges, in: &graph)
        if abi == .x86_64 {
            if let x32 {
                addCalls(of: .x32, x32, from: x32Bit, to: &ranges, in: &graph)
            } else {
                ranges.set(from: x32Bit, graph.verdict(x32Action ?? defaultAction))
            }
            // -1 is what a tracer sets a call's number to so that it is not made.
            ranges.set(from: .max, unnamed)
        }
        return ranges
    }

    private func addCalls(
        of abi: SystemCallABI, _ table: RuleTable, from base: UInt32, to ranges: inout NumberRanges,
        in graph: inout FilterGraph
    ) {
        let unnamed = graph.verdict(unnamedAction ?? defaultAction)
        let undecided = graph.verdict(defaultAction)
        let calls = SystemCalls.of(abi)
        for number in 0...calls.highest {
            if calls.name(of: number) == nil {
                ranges.set(from: base + number, unnamed)
            } else {
                ranges.set(from: base + number, graph.decide(among: table.rules(for: number), otherwise: undecided))
            }
        }
        ranges.set(from: base + calls.highest + 1, unnamed)
    }
}

/// Set in the number of an x32 call (__X32_SYSCALL_BIT of asm/unistd.h).
private let x32Bit: UInt32 = 0x4000_0000

/// The rules of a profile by the number of the call that they are for.
private struct RuleTable {
    private(set) var skippedNames: [String] = []
    private var byNumber: [UInt32: [SeccompRule]] = [:]

    init(_ rules: [SeccompRule], _ abi: SystemCallABI) throws(SeccompError) {
        let calls = SystemCalls.of(abi)
        var skipped: Set<String> = []
        for rule in rules {
            for name in rule.calls {
                if let condition = rule.conditions.first(where: { !(0...5).contains($0.index) }) {
                    throw .noSuchArgument(call: name, index: condition.index)
                }
                let rule = abi.isOf32Bits ? rule.ofLowerHalves : rule
                var isKnown = false
                if let number = calls.number(of: name) {
                    byNumber[number, default: []].append(rule)
                    isKnown = true
                }
                if abi == .i386, let inner = MultiplexedCalls.byName[name] {
                    byNumber[inner.call, default: []].append(rule.within(inner))
                    isKnown = true
                }
                if !isKnown, skipped.insert(name).inserted { skippedNames.append(name) }
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
