import Lambda
import Linux
import Metering
import Store
import Synchronization

/// A ledger in memory.
final class FakeLedger: CallLedger {
    private let calls = Mutex<[MeteredCall]>([])
    private let reason = Mutex<StoreFailure?>(nil)

    var all: [MeteredCall] { calls.withLock { $0 } }
    func refuse(_ failure: StoreFailure?) { reason.withLock { $0 = failure } }

    func append(_ call: MeteredCall) { calls.withLock { $0.append(call) } }

    func commit(
        _ call: MeteredCall, with change: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Void,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        append(call)
        then(.success(()))
    }

    var refusal: StoreFailure? { reason.withLock { $0 } }
}

/// A book of keys in memory that answers on another thread, and notes in which order things were asked of it.
final class FakeKeys: KeyedAnswers {
    private struct Book {
        var answers: [String: (KeyedAnswer, digest: String)] = [:]
        var marks: [String: String] = [:]
        var log: [String] = []
        var failure: StoreFailure?
    }

    private let book = Mutex(Book())
    private let ledger: FakeLedger

    init(_ ledger: FakeLedger) { self.ledger = ledger }

    var log: [String] { book.withLock { $0.log } }
    var marks: Int { book.withLock { $0.marks.count } }
    func fail(_ failure: StoreFailure?) { book.withLock { $0.failure = failure } }

    private func name(_ claim: KeyClaim) -> String { "\(claim.function)/\(claim.key)" }

    func begin(_ claim: KeyClaim, then: @escaping @Sendable (Result<KeyFinding, StoreFailure>) -> Void) {
        let result: Result<KeyFinding, StoreFailure> = book.withLock { book in
            book.log.append("begin \(name(claim)) \(claim.requestID)")
            if let failure = book.failure { return .failure(failure) }
            if let (answer, digest) = book.answers[name(claim)] {
                return .success(
                    digest == claim.payloadDigest ? .replay(answer) : .conflict(firstRequestID: answer.requestID))
            }
            if let first = book.marks[name(claim)] { return .success(.inProgress(requestID: first)) }
            book.marks[name(claim)] = claim.requestID
            return .success(.new(mayHaveRun: false))
        }
        Task { then(result) }
    }

    func complete(
        _ claim: KeyClaim, answer: KeyedAnswer, call: MeteredCall,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        let failure = book.withLock { book -> StoreFailure? in
            book.log.append("complete \(name(claim)) \(claim.requestID)")
            if let failure = book.failure { return failure }
            book.marks[name(claim)] = nil
            book.answers[name(claim)] = (answer, claim.payloadDigest)
            return nil
        }
        if failure == nil { ledger.append(call) }
        Task { then(failure.map { .failure($0) } ?? .success(())) }
    }

    func giveUp(_ claim: KeyClaim, call: MeteredCall, then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void) {
        let failure = book.withLock { book -> StoreFailure? in
            book.log.append("giveUp \(name(claim)) \(claim.requestID)")
            if let failure = book.failure { return failure }
            book.marks[name(claim)] = nil
            return nil
        }
        if failure == nil { ledger.append(call) }
        Task { then(failure.map { .failure($0) } ?? .success(())) }
    }
}
