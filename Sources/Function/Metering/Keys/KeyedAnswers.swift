package import Linux
package import Store

/// A call that carries a key asks for it: calls of one function with one key have one effect and one answer.
package struct KeyClaim: Hashable, Sendable {
    /// The function's name: its versions and aliases share their keys, because they share the effect.
    package var function: String
    package var key: String
    /// SHA-256 of the payload, lower-case hexadecimal digits: another payload under the same key is a mistake.
    package var payloadDigest: String
    package var requestID: String
    package var now: Timestamp
    /// How long an answer is kept, from its end on.
    package var expirySeconds: Int

    package init(
        function: String, key: String, payloadDigest: String, requestID: String, now: Timestamp, expirySeconds: Int
    ) {
        self.function = function
        self.key = key
        self.payloadDigest = payloadDigest
        self.requestID = requestID
        self.now = now
        self.expirySeconds = expirySeconds
    }
}

/// What is known of a key.
package enum KeyFinding: Hashable, Sendable {
    /// Nothing: the claim is marked as in progress, and the caller runs the call and then completes or gives up.
    /// `mayHaveRun`: a node that has ended meanwhile began a call with this key and recorded no end of it.
    case new(mayHaveRun: Bool)
    /// The answer of the first call, to be given again as it is.
    case replay(KeyedAnswer)
    /// The first call, with that request id, had another payload.
    case conflict(firstRequestID: String)
    /// A call of this node with that request id is on its way.
    case inProgress(requestID: String)
}

/// The answer to a call with a key, as it is given again.
package struct KeyedAnswer: Hashable, Sendable {
    package var payload: [UInt8]
    package var contentType: String?
    /// `X-Amz-Function-Error`
    package var functionError: String?
    /// `X-Amz-Executed-Version`
    package var version: String
    /// Of the call that gave it.
    package var requestID: String

    package init(
        payload: [UInt8], contentType: String? = nil, functionError: String? = nil, version: String, requestID: String
    ) {
        self.payload = payload
        self.contentType = contentType
        self.functionError = functionError
        self.version = version
        self.requestID = requestID
    }
}

/// The book of keys. Every `then` is called once, on any thread, and must be short.
///
/// A node that is killed gives up the marks that it has made: the call may run again, so a function whose effect must not
/// happen twice either makes it idempotent or asks `mayHaveRun`. An answer that was recorded is never lost.
package protocol KeyedAnswers: Sendable {
    /// Looks a key up and, when nothing is known, marks it: on disk before `then`.
    func begin(_ claim: KeyClaim, then: @escaping @Sendable (Result<KeyFinding, StoreFailure>) -> Void)
    /// Records the answer and the call in the ledger, in one transaction, on disk before `then`.
    func complete(
        _ claim: KeyClaim, answer: KeyedAnswer, call: MeteredCall,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void)
    /// Takes the mark back, so that the next call with this key runs, and records the call in the same transaction.
    func giveUp(_ claim: KeyClaim, call: MeteredCall, then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void)
}
