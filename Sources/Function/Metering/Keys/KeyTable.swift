internal import Linux
internal import Store

/// The table of the book of keys. A row without an answer is a mark.
enum KeyTable {
    static func entry(_ claim: KeyClaim, _ store: any StoreTransaction) throws(StoreFailure) -> KeyEntry? {
        let row = try store.first(
            """
            SELECT payloadDigest, request, run, expires, version, contentType, functionError, answer FROM keyAnswers
            WHERE function = ?1 AND key = ?2
            """, [.text(claim.function), .text(claim.key)])
        guard let row else { return nil }
        guard let digest = row.text(0), let request = row.text(1), let run = row.text(2), let expires = row.integer(3) else {
            throw StoreFailure(.damaged, "look up the key \"\(claim.key)\" of \(claim.function): its row is damaged.")
        }
        let expiry = Timestamp(nanoseconds: expires)
        guard let payload = row.blob(7) else {
            return .mark(payloadDigest: digest, requestID: request, run: run, expires: expiry)
        }
        let answer = KeyedAnswer(
            payload: payload, contentType: row.text(5), functionError: row.text(6), version: row.text(4) ?? "",
            requestID: request)
        return .answer(answer, payloadDigest: digest, expires: expiry)
    }

    static func put(_ entry: KeyEntry, _ claim: KeyClaim, _ store: any StoreTransaction) throws(StoreFailure) {
        var values: [StoreValue] = [.text(claim.function), .text(claim.key), .text(entry.payloadDigest), .text(entry.requestID)]
        switch entry {
        case .mark(_, _, let run, let expires):
            values += [.text(run), StoreValue(expires.nanoseconds), nil, nil, nil, nil]
        case .answer(let answer, _, let expires):
            values += [
                "", StoreValue(expires.nanoseconds), .text(answer.version), StoreValue(answer.contentType),
                StoreValue(answer.functionError), .blob(answer.payload),
            ]
        }
        try store.execute("INSERT OR REPLACE INTO keyAnswers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", values)
    }

    /// Takes back the mark of a claim, and nothing else.
    static func removeMark(_ claim: KeyClaim, run: String, _ store: any StoreTransaction) throws(StoreFailure) {
        try store.execute(
            "DELETE FROM keyAnswers WHERE function = ?1 AND key = ?2 AND request = ?3 AND run = ?4 AND answer IS NULL",
            [.text(claim.function), .text(claim.key), .text(claim.requestID), .text(run)])
    }

    /// Removes some entries that have expired, the oldest first; marks of this run stay.
    static func clean(
        _ now: Timestamp, run: String, limit: Int, _ store: any StoreTransaction
    ) throws(StoreFailure) {
        try store.execute(
            """
            DELETE FROM keyAnswers WHERE rowid IN (
                SELECT rowid FROM keyAnswers WHERE expires <= ?1 AND NOT (answer IS NULL AND run = ?2)
                ORDER BY expires LIMIT ?3)
            """, [StoreValue(now.nanoseconds), .text(run), StoreValue(limit)])
    }
}
