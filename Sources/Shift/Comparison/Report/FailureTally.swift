package import JSON

/// How calls went wrong, by kind: never averaged into the others.
package enum FailureKind: String, Hashable, Sendable, CaseIterable {
    /// Killed by a signal of its own doing, or exited with another status than 0.
    case crash
    /// Had not ended after the time that a call may take.
    case hang
    /// Said that it wants a terminal, or stopped to read from one.
    case needsTerminal
    /// Ended because it had taken all the memory that it may have.
    case exceededMemory
    /// The way to it failed: it was not started, or the connection broke.
    case unreachable

    /// "crashed", as it stands in a sentence about calls.
    package var words: String {
        switch self {
        case .crash: "crashed"
        case .hang: "did not end in time"
        case .needsTerminal: "need a terminal"
        case .exceededMemory: "exceeded their memory"
        case .unreachable: "could not be made"
        }
    }
}

/// A call that went wrong.
package struct CallFailure: ReportObject {
    /// Which call, from 1.
    package var call: Int
    package var kind: FailureKind
    /// How it ended: "killed by SIGKILL", "exited with status 2: malformed trade".
    package var reason: String

    package init(call: Int, kind: FailureKind = .crash, reason: String) {
        self.call = call
        self.kind = kind
        self.reason = reason
    }

    package var json: JSONValue { ["call": call.json, "kind": kind.rawValue.json, "reason": reason.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        call = try reader.required("call")
        kind = try reader.word("kind")
        reason = try reader.required("reason")
    }
}

/// The failed calls of a rung, counted by kind, and the first one of each kind.
package struct FailureTally: ReportValue {
    package private(set) var counts: [FailureKind: Int] = [:]
    /// The first of each kind, in the order in which they came.
    package private(set) var first: [CallFailure] = []

    package init() {}

    package var total: Int { counts.values.reduce(0, +) }
    package var isEmpty: Bool { counts.isEmpty }
    /// Kinds that came, in the order of their declaration, with their numbers.
    package var kinds: [(kind: FailureKind, count: Int)] {
        FailureKind.allCases.compactMap { kind in counts[kind].map { (kind, $0) } }
    }

    package mutating func add(_ failure: CallFailure) {
        counts[failure.kind, default: 0] += 1
        if !first.contains(where: { $0.kind == failure.kind }) { first.append(failure) }
    }

    package mutating func add(_ other: FailureTally) {
        for (kind, count) in other.counts { counts[kind, default: 0] += count }
        for failure in other.first where !first.contains(where: { $0.kind == failure.kind }) { first.append(failure) }
    }

    package var json: JSONValue {
        var object = JSONObject()
        for (kind, count) in kinds { object[kind.rawValue] = count.json }
        return ["counts": .object(object), "first": first.reportJSON]
    }

    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json, path: path)
        let named: [String: Int] = try reader.dictionary("counts")
        for (name, count) in named {
            guard let kind = FailureKind(rawValue: name), count > 0 else {
                throw reader.error("counts", "\"\(name)\" is no kind of failure with a number above 0")
            }
            counts[kind] = count
        }
        first = try reader.values("first")
    }
}
