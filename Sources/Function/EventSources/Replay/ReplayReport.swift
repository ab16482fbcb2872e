package import JSON

/// What came of running recorded calls again. Pure.
package struct ReplayReport: Hashable, Sendable {
    /// Differences that are shown whole; of all others only the number is kept.
    package static let shownLimit = 20
    /// Bytes of an answer that are shown.
    static let excerpt = 2000

    /// How an answer compares with the one that was recorded.
    package enum Comparison: String, Hashable, Sendable, CaseIterable {
        /// Byte for byte.
        case identical
        /// The same JSON, written in another way.
        case equalJSON
        case different
        /// One of the two is an error of the function and the other is not.
        case otherOutcome
        /// It could not be run.
        case notRun
    }

    package struct Difference: Hashable, Sendable {
        package var requestID: String
        package var comparison: Comparison
        package var recorded: [UInt8]
        package var answered: [UInt8]
        /// Where in the JSON the first difference is: "$.a[2]"; nil when one is no JSON.
        package var path: String?
    }

    package var target: String
    package var counts: [Comparison: Int] = [:]
    /// Calls that were not run again: their payload or answer was not recorded (`forkless:record` was off), or they never ran.
    package var withoutRecord = 0
    package var differences: [Difference] = []

    package init(target: String) { self.target = target }

    /// Whether every call that was run again gave the same answer.
    package var isClean: Bool {
        counts.allSatisfy { $0.key == .identical || $0.key == .equalJSON || $0.value == 0 }
    }

    /// Counts one call; `answered` is nil when it could not be run.
    mutating func add(_ requestID: String, recorded: RecordedAnswer, answered: RecordedAnswer?) {
        let comparison = Self.compare(recorded, answered)
        counts[comparison, default: 0] += 1
        guard comparison != .identical, comparison != .equalJSON, differences.count < Self.shownLimit else { return }
        differences.append(
            Difference(
                requestID: requestID, comparison: comparison, recorded: recorded.payload,
                answered: answered?.payload ?? [],
                path: Self.path(recorded.payload, answered?.payload ?? [])))
    }

    static func compare(_ recorded: RecordedAnswer, _ answered: RecordedAnswer?) -> Comparison {
        guard let answered else { return .notRun }
        guard recorded.isError == answered.isError else { return .otherOutcome }
        if recorded.payload == answered.payload { return .identical }
        guard let one = try? JSONParser.parse(recorded.payload), let other = try? JSONParser.parse(answered.payload)
        else {
            return .different
        }
        return one == other ? .equalJSON : .different
    }

    private static func path(_ recorded: [UInt8], _ answered: [UInt8]) -> String? {
        guard let one = try? JSONParser.parse(recorded), let other = try? JSONParser.parse(answered) else { return nil }
        return path(one, other, "$")
    }

    private static func path(_ one: JSONValue, _ other: JSONValue, _ here: String) -> String? {
        if one == other { return nil }
        switch (one, other) {
        case (.object(let one), .object(let other)):
            for key in one.keys + other.keys.filter({ !one.contains($0) }) {
                guard let a = one[key], let b = other[key] else { return "\(here).\(key)" }
                if let found = path(a, b, "\(here).\(key)") { return found }
            }
        case (.array(let one), .array(let other)):
            for index in 0..<max(one.count, other.count) {
                guard index < one.count, index < other.count else { return "\(here)[\(index)]" }
                if let found = path(one[index], other[index], "\(here)[\(index)]") { return found }
            }
        default: break
        }
        return here
    }

    package var json: JSONValue {
        var counts = JSONObject()
        for comparison in Comparison.allCases {
            counts[comparison.rawValue] = .integer(Int64(self.counts[comparison] ?? 0))
        }
        counts["withoutRecord"] = .integer(Int64(withoutRecord))
        return [
            "target": .string(target), "clean": .bool(isClean), "counts": .object(counts),
            "differences": .array(
                differences.map { difference in
                    [
                        "requestId": .string(difference.requestID),
                        "comparison": .string(difference.comparison.rawValue),
                        "path": difference.path.map { .string($0) } ?? .null,
                        "recorded": .string(Self.text(difference.recorded)),
                        "answered": .string(Self.text(difference.answered)),
                    ]
                }),
        ]
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(excerpt), as: UTF8.self) }
}

/// An answer as it is compared.
struct RecordedAnswer: Hashable, Sendable {
    var payload: [UInt8]
    /// The function answered with an error, or ran out of time or memory.
    var isError: Bool
}
