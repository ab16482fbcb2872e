package import JSON

/// What one attempt from inside a rung showed: a thing that a program there can or cannot do to the machine.
///
/// The attempts are made by `IsolationProbe`, which really tries; nothing here is a claim.
package struct IsolationFinding: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The attempt failed: the rung keeps the program from it.
        case stopped
        /// The attempt succeeded.
        case possible
        /// The attempt could not be made, and why.
        case unknown(String)
    }

    /// One word or two with hyphens, the same in every release: "see-processes".
    package var name: String
    /// What a program may be able to do, in words that complete "can it ...": "see other processes".
    package var question: String
    package var outcome: Outcome
    /// What was seen: "12 processes in /proc", "EPERM".
    package var detail: String

    package init(name: String, question: String, outcome: Outcome, detail: String = "") {
        self.name = name
        self.question = question
        self.outcome = outcome
        self.detail = detail
    }
}

extension IsolationFinding.Outcome {
    /// "stopped", "possible" or "unknown", as it stands in tables and in JSON.
    package var word: String {
        switch self {
        case .stopped: "stopped"
        case .possible: "possible"
        case .unknown: "unknown"
        }
    }

    package init?(word: String, reason: String) {
        switch word {
        case "stopped": self = .stopped
        case "possible": self = .possible
        case "unknown": self = .unknown(reason)
        default: return nil
        }
    }
}

/// How many attempts a rung stopped.
package struct IsolationSummary: Hashable, Sendable, CustomStringConvertible {
    package var stopped = 0
    package var possible = 0
    package var unknown = 0

    package init(_ findings: [IsolationFinding]) {
        for finding in findings {
            switch finding.outcome {
            case .stopped: stopped += 1
            case .possible: possible += 1
            case .unknown: unknown += 1
            }
        }
    }

    /// Attempts that were made; those of unknown outcome are not.
    package var attempted: Int { stopped + possible }

    /// "9 of 11 stopped", or "9 of 11 stopped, 2 unknown".
    package var description: String {
        "\(stopped) of \(attempted) stopped" + (unknown > 0 ? ", \(unknown) unknown" : "")
    }
}

extension IsolationFinding {
    package var json: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "question": .string(question), "outcome": .string(outcome.word),
        ]
        if case .unknown(let reason) = outcome { object["reason"] = .string(reason) }
        if !detail.isEmpty { object["detail"] = .string(detail) }
        return .object(object)
    }

    /// Reads what `json` writes.
    package init(_ value: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(value)
        name = try reader.required("name")
        question = try reader.required("question")
        let word: String = try reader.required("outcome")
        let reason: String = try reader.optional("reason") ?? ""
        detail = try reader.optional("detail") ?? ""
        guard let outcome = Outcome(word: word, reason: reason) else {
            throw reader.error("outcome", "expected \"stopped\", \"possible\" or \"unknown\", found \"\(word)\"")
        }
        self.outcome = outcome
        try reader.refuseUnknown()
    }
}
