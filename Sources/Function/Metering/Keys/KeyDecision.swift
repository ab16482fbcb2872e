package import Linux

/// What the book of keys holds of one key.
package enum KeyEntry: Hashable, Sendable {
    /// A call has begun, in the run of the node that is named.
    case mark(payloadDigest: String, requestID: String, run: String, expires: Timestamp)
    /// It has ended, and this was its answer.
    case answer(KeyedAnswer, payloadDigest: String, expires: Timestamp)

    var payloadDigest: String {
        switch self {
        case .mark(let digest, _, _, _), .answer(_, let digest, _): digest
        }
    }

    var requestID: String {
        switch self {
        case .mark(_, let requestID, _, _): requestID
        case .answer(let answer, _, _): answer.requestID
        }
    }
}

/// Decides what a claim finds, without a database and without a clock.
///
/// Invariants (each with a test in KeyedAnswersTests)
/// 1. An answer is given again for exactly the payload that it belongs to. (`another payload under the same key is a conflict`)
/// 2. Of two claims at once one is new. (`of many claims at once exactly one is new`)
/// 3. A mark of this run never expires: its call is still on its way. (`a call that takes longer than the expiry keeps its key`)
/// 4. A mark of a former run stands for a call that may have run. (`a mark of a run that was killed is given up`)
package enum KeyDecision {
    /// - Returns: what the caller hears; `new` means that its mark takes the place of the entry.
    package static func finding(_ entry: KeyEntry?, _ claim: KeyClaim, run: String) -> KeyFinding {
        guard let entry, !hasExpired(entry, claim.now, run: run) else { return .new(mayHaveRun: false) }
        guard entry.payloadDigest == claim.payloadDigest else { return .conflict(firstRequestID: entry.requestID) }
        switch entry {
        case .answer(let answer, _, _): return .replay(answer)
        case .mark(_, let requestID, run, _): return .inProgress(requestID: requestID)
        case .mark: return .new(mayHaveRun: true)
        }
    }

    static func hasExpired(_ entry: KeyEntry, _ now: Timestamp, run: String) -> Bool {
        switch entry {
        case .mark(_, _, run, _): false
        case .mark(_, _, _, let expires), .answer(_, _, let expires): expires <= now
        }
    }

    /// The mark of a claim that is new.
    package static func mark(_ claim: KeyClaim, run: String) -> KeyEntry {
        .mark(
            payloadDigest: claim.payloadDigest, requestID: claim.requestID, run: run,
            expires: expiry(claim, from: claim.now))
    }

    package static func expiry(_ claim: KeyClaim, from now: Timestamp) -> Timestamp {
        let (nanoseconds, overflow) = claim.expirySeconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (end, tooLate) = now.nanoseconds.addingReportingOverflow(overflow ? .max : nanoseconds)
        return Timestamp(nanoseconds: tooLate ? .max : end)
    }
}
