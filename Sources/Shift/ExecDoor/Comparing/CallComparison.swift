package import Linux

/// What is known of one run of a call, for comparison.
package struct ObservedRun: Hashable, Sendable {
    /// nil: the kernel could not tell.
    package var status: ExitStatus?
    package var output: CapturedStream
    package var errors: CapturedStream
    /// Declared output files by the name they were declared with; nil: the run left none.
    package var files: [String: CapturedStream?]

    package init(
        status: ExitStatus?, output: CapturedStream, errors: CapturedStream, files: [String: CapturedStream?] = [:]
    ) {
        self.status = status
        self.output = output
        self.errors = errors
        self.files = files
    }
}

/// What a comparison has found.
package struct ComparisonResult: Hashable, Sendable {
    /// The first ones, in the order exit, stdout, stderr, files.
    package var differences: [Difference]
    /// All of them: lines, values, statuses.
    package var count: Int
    /// Only the beginning of something could be compared.
    package var isPartial: Bool

    package init(differences: [Difference] = [], count: Int = 0, isPartial: Bool = false) {
        self.differences = differences
        self.count = count
        self.isPartial = isPartial
    }

    package var isEqual: Bool { count == 0 }
}

/// Compares two runs of one call.
///
/// Pure. What it needs of memory is bounded by what was captured, `ShadowRules.keptBytes` of each stream.
///
/// Invariants (tests in CallComparisonTests)
/// 1. Equal bytes are equal whatever the rules. (`equal runs are equal under every rule`)
/// 2. A rule hides what it names and nothing beside it. (`a rule hides what it names and nothing beside it`)
/// 3. What could not be seen on both sides is not compared, and that is said.
///    (`a stream that was not seen is not compared`)
package struct CallComparison: Sendable {
    /// Differences that are kept of one comparison.
    static let keptDifferences = 64

    private let rules: [DifferenceRule]
    private let masks: [ComparedPart?: ByteMask]

    package init(_ rules: [DifferenceRule]) {
        self.rules = rules
        // Compiled once: parts that no rule names share one.
        var masks: [ComparedPart?: ByteMask] = [nil: ByteMask(rules.filter { $0.part == nil })]
        for part in Set(rules.compactMap(\.part)) { masks[part] = ByteMask(rules.filter { $0.covers(part) }) }
        self.masks = masks
    }

    package func compare(_ original: ObservedRun, _ target: ObservedRun) -> ComparisonResult {
        var result = ComparisonResult()
        compare(original.status, target.status, into: &result)
        compare(original.output, target.output, .output, into: &result)
        if !original.errors.isMerged { compare(original.errors, target.errors, .errors, into: &result) }
        for (name, file) in original.files.sorted(by: { $0.key < $1.key }) {
            compareFiles(name, file, target.files[name] ?? nil, into: &result)
        }
        return result
    }

    private func compare(_ original: ExitStatus?, _ target: ExitStatus?, into result: inout ComparisonResult) {
        guard let original, let target else {
            result.isPartial = true
            return
        }
        // Whether a core was dumped is lost on the way from a target.
        guard original.shellStatus != target.shellStatus || original.isSignal != target.isSignal, !isAllowed(.exit)
        else { return }
        note(.between(Array("\(original)".utf8), Array("\(target)".utf8), of: .exit, at: "exit"), 1, &result)
    }

    private func compareFiles(
        _ name: String, _ original: CapturedStream?, _ target: CapturedStream?, into result: inout ComparisonResult
    ) {
        let part = ComparedPart.file(name)
        switch (original, target) {
        case (nil, nil): return
        case (let original?, let target?): compare(original, target, part, into: &result)
        default:
            guard !isAllowed(part) else { return }
            let (there, missing) = (Array("(a file)".utf8), Array("(no file)".utf8))
            note(
                .between(original == nil ? missing : there, target == nil ? missing : there, of: part, at: "\(part)"),
                1, &result)
        }
    }

    private func compare(
        _ original: CapturedStream, _ target: CapturedStream, _ part: ComparedPart, into result: inout ComparisonResult
    ) {
        guard !isAllowed(part) else { return }
        guard original.isObserved, target.isObserved else {
            result.isPartial = true
            return
        }
        if original.isComplete, target.isComplete {
            if original.bytes == target.bytes { return }
            let (found, count) = differences(original.bytes, target.bytes, part)
            return note(found, count, &result)
        }
        result.isPartial = true
        // Whole lines of the beginnings; the lengths, where no rule may change them.
        let (one, other) = Self.beginnings(original.bytes, target.bytes)
        if one != other {
            let (found, count) = differences(one, other, part)
            note(found, count, &result)
        } else if original.total != target.total, !rules.contains(where: { $0.covers(part) }) {
            note(
                .between(
                    Array("\(original.total) bytes".utf8), Array("\(target.total) bytes".utf8), of: part,
                    at: "\(part) length"),
                1, &result)
        }
    }

    private func isAllowed(_ part: ComparedPart) -> Bool {
        rules.contains { $0.kind == .everything && $0.covers(part) }
    }

    private func differences(_ original: [UInt8], _ target: [UInt8], _ part: ComparedPart) -> ([Difference], Int) {
        let own = rules.filter { $0.covers(part) }
        let mask = masks[part] ?? masks[nil]!
        let tolerance = own.compactMap { if case .numbers(let tolerance) = $0.kind { tolerance } else { nil } }.max()
        let paths = own.compactMap { if case .json(let path) = $0.kind { path } else { nil } }
        if !paths.isEmpty {
            let comparison = JSONComparison(part: part, ignored: paths, mask: mask, tolerance: tolerance)
            if let answer = comparison.differences(original, target, limit: Self.keptDifferences) { return answer }
        }
        let comparison = LineComparison(
            part: part, mask: mask, isUnordered: own.contains { $0.kind == .unordered }, tolerance: tolerance)
        return comparison.differences(original, target, limit: Self.keptDifferences)
    }

    private func note(_ difference: Difference, _ count: Int, _ result: inout ComparisonResult) {
        note([difference], count, &result)
    }

    private func note(_ found: [Difference], _ count: Int, _ result: inout ComparisonResult) {
        result.differences += found.prefix(Self.keptDifferences - result.differences.count)
        result.count += count
    }

    /// As much of both as both have, in whole lines.
    private static func beginnings(_ one: [UInt8], _ other: [UInt8]) -> ([UInt8], [UInt8]) {
        let lines = min(one.count { $0 == UInt8(ascii: "\n") }, other.count { $0 == UInt8(ascii: "\n") })
        guard lines > 0 else {
            let length = min(one.count, other.count)
            return (Array(one.prefix(length)), Array(other.prefix(length)))
        }
        func cut(_ bytes: [UInt8]) -> [UInt8] {
            var seen = 0
            let end = bytes.firstIndex { byte in
                if byte == UInt8(ascii: "\n") { seen += 1 }
                return seen == lines
            }
            return Array(bytes[...(end ?? bytes.endIndex - 1)])
        }
        return (cut(one), cut(other))
    }
}

extension ExitStatus {
    fileprivate var isSignal: Bool { if case .signaled = self { true } else { false } }
}
