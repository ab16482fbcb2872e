package import Linux

/// What is looked for in the ledger.
package struct LedgerSearch: Hashable, Sendable {
    package static let limit = 100

    package var workload = ""
    package var requestID = ""
    package var outcome = ""
    /// A time, or a day.
    package var from = ""
    package var to = ""

    package init() {}

    package init(_ query: [String: String]) {
        func field(_ name: String) -> String {
            let text = (query[name] ?? "").drop { $0.isWhitespace }.prefix(512)
            return String(text.prefix(upTo: text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex))
        }
        workload = field("workload")
        requestID = field("request")
        outcome = field("outcome")
        from = field("from")
        to = field("to")
    }

    package var query: [(String, String?)] {
        [("workload", workload), ("request", requestID), ("outcome", outcome), ("from", from), ("to", to)]
    }
}

/// A record of the ledger.
package struct LedgerLine: Hashable, Sendable {
    package var sequence: Int
    package var at: Timestamp
    package var workload: String
    package var version: String
    package var requestID: String
    package var source: String
    package var start: String
    package var outcome: String
    package var tone: Tone
    package var queueSeconds: Double?
    package var durationSeconds: Double?
    package var peakMemoryBytes: Int?

    package init(
        sequence: Int, at: Timestamp, workload: String, version: String = "", requestID: String = "", source: String = "",
        start: String = "", outcome: String, tone: Tone
    ) {
        self.sequence = sequence
        self.at = at
        self.workload = workload
        self.version = version
        self.requestID = requestID
        self.source = source
        self.start = start
        self.outcome = outcome
        self.tone = tone
    }
}

/// What the last verification has found.
package struct LedgerCheck: Hashable, Sendable {
    package var at: Timestamp
    package var good: Int
    /// "SEQUENCE:HASH", to be noted elsewhere.
    package var head: String
    /// nil: nothing is wrong.
    package var fault: String?

    package init(at: Timestamp, good: Int, head: String, fault: String?) {
        self.at = at
        self.good = good
        self.head = head
        self.fault = fault
    }
}

package struct LedgerModel: Hashable, Sendable {
    package var records: [LedgerLine]
    package var outcomes: [String]
    /// nil: it was not verified since the node was started.
    package var check: LedgerCheck?
    package var isVerifying = false
    /// What of the search cannot be understood.
    package var problem: String?

    package init(records: [LedgerLine], outcomes: [String], check: LedgerCheck?) {
        self.records = records
        self.outcomes = outcomes
        self.check = check
    }
}
