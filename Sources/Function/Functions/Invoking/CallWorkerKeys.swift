internal import HTTPServing
internal import Lambda
internal import Linux
internal import Metering
internal import Store

/// A key whose first call is under way, or has ended without being recorded.
struct KeyUnderWay {
    var payloadDigest: String
    /// Calls that will get the same answer.
    var waiting: [InvokedCall] = []
    /// The end that the book could not take (the disk was full, say). The next call with the key tries it again, so that
    /// nothing has its effect twice.
    var unrecorded: KeyEnd?
}

/// How the call that holds a key has ended.
struct KeyEnd {
    var claim: KeyClaim
    /// What is kept; nil: the key becomes free.
    var answer: KeyedAnswer?
    var call: MeteredCall
}

/// Calls with keys.
extension CallWorker {
    /// Finds out whether the key is new, and goes on with the call then.
    func takeKey(_ invoked: InvokedCall) {
        beginPending()
        PayloadDigest.both(invoked.call.payload, nil, on: loop) { [self] digest, _ in
            invoked.payloadDigest = digest
            joinOrBegin(invoked, digest)
            endPending()
        }
    }

    private func joinOrBegin(_ invoked: InvokedCall, _ digest: String) {
        let key = FunctionKey(invoked.name, invoked.key!)
        guard let underWay = keysUnderWay[key] else {
            keysUnderWay[key] = KeyUnderWay(payloadDigest: digest)
            return begin(invoked, key)
        }
        guard underWay.payloadDigest == digest else { return refuse(invoked, Self.conflict(invoked, first: nil)) }
        if let end = underWay.unrecorded { return settleAgain(end, key, for: invoked) }
        guard underWay.waiting.count < settings.waitingLimit else {
            let sentence =
                "Rate Exceeded: \(settings.waitingLimit) calls of \(invoked.name) wait for the answer of the first one with "
                + "this key already."
            return refuse(invoked, .tooManyRequests(sentence, reason: "ConcurrentInvocationLimitExceeded"))
        }
        keysUnderWay[key]!.waiting.append(invoked)
        wait(invoked, atMost: nil) { [self] in
            keysUnderWay[key]?.waiting.removeAll { $0 === invoked }
        }
    }

    private func begin(_ invoked: InvokedCall, _ key: FunctionKey) {
        let bound = LoopBound((worker: self, call: invoked, key: key), on: loop)
        beginPending()
        book.begin(invoked.claim(now: Clock.now())) { result in
            bound.loop.execute {
                let (worker, call, key) = bound.value
                worker.found(result, call, key)
                worker.endPending()
            }
        }
    }

    private func found(_ result: Result<KeyFinding, StoreFailure>, _ invoked: InvokedCall, _ key: FunctionKey) {
        switch result {
        case .success(.new):
            invoked.holdsKey = true
            if let deadline = invoked.deadline, deadline <= plane.now() {
                return refuse(invoked, .deadlinePassed(invoked.name))
            }
            takeTurn(invoked)
        case .success(.replay(let answer)):
            for call in [invoked] + endKey(key) { replay(answer, to: call) }
        case .success(.conflict(let first)):
            for call in [invoked] + endKey(key) { refuse(call, Self.conflict(call, first: first)) }
        case .success(.inProgress(let first)):
            let failure = LambdaFailure(
                "IdempotencyKeyInProgressException", status: 409,
                "run \(invoked.name): the call \(first) with the same key has not ended, or its end could not be recorded. "
                    + "Call again later.")
            for call in [invoked] + endKey(key) { refuse(call, failure) }
        case .failure(let failure):
            let sentence = "run \(invoked.name): its key could not be looked up: \(failure.sentence)"
            for call in [invoked] + endKey(key) { refuse(call, .service(sentence)) }
        }
    }

    private static func conflict(_ invoked: InvokedCall, first: String?) -> LambdaFailure {
        LambdaFailure(
            "IdempotencyKeyConflictException", status: 409,
            "run \(invoked.name): another call\(first.map { " (\($0))" } ?? "") had the same key with another payload. "
                + "A key stands for one payload: use a new key.")
    }

    /// The key is not under way any more.
    ///
    /// - Returns: the calls that have waited for its answer.
    private func endKey(_ key: FunctionKey) -> [InvokedCall] {
        let waiting = keysUnderWay.removeValue(forKey: key)?.waiting ?? []
        for call in waiting { stopWaiting(call) }
        return waiting
    }

    /// The first call was not run: the next one that waits takes its place.
    private func promote(_ key: FunctionKey) {
        guard var underWay = keysUnderWay[key] else { return }
        guard !underWay.waiting.isEmpty else {
            keysUnderWay[key] = nil
            return
        }
        let next = underWay.waiting.removeFirst()
        keysUnderWay[key] = underWay
        stopWaiting(next)
        begin(next, key)
    }

    // MARK: Ends

    /// Records the answer of a call with a key, and tells everybody who waits for it then.
    func keep(_ invoked: InvokedCall, _ answer: InvocationAnswer) {
        let first = KeyedAnswer(
            payload: invoked.tap?.kept ?? answer.payload, contentType: invoked.tap?.contentType ?? answer.contentType,
            functionError: answer.functionError, version: answer.call.version, requestID: invoked.call.requestID)
        let end = KeyEnd(
            claim: invoked.claim(now: Clock.now()), answer: answer.functionError == nil ? first : nil, call: answer.call
        )
        let key = FunctionKey(invoked.name, invoked.key!)
        invoked.holdsKey = false
        settle(end, key) { [self] failure in
            if let failure {
                let sentence = "run \(invoked.name): it ran, but its answer could not be recorded: \(failure.sentence)"
                invoked.done(.failed(.service(sentence)))
                return
            }
            var answer = answer
            answer.isRecorded = true
            invoked.done(.answered(answer))
            for call in endKey(key) { replay(first, to: call) }
        }
    }

    /// The call that holds a key was not run: the key becomes free, and the next call that waits for it takes it.
    func giveUpKey(_ invoked: InvokedCall, _ record: MeteredCall, _ failure: LambdaFailure) {
        let end = KeyEnd(claim: invoked.claim(now: Clock.now()), answer: nil, call: record)
        let key = FunctionKey(invoked.name, invoked.key!)
        invoked.holdsKey = false
        settle(end, key) { [self] unrecorded in
            invoked.done(.failed(failure))
            if unrecorded == nil { promote(key) }
        }
    }

    /// Tries again to record an end, for a call with the same key.
    private func settleAgain(_ end: KeyEnd, _ key: FunctionKey, for invoked: InvokedCall) {
        keysUnderWay[key]!.unrecorded = nil
        unrecordedEnds -= 1
        keysUnderWay[key]!.waiting.append(invoked)
        invoked.isWaiting = true
        settle(end, key) { [self] failure in
            guard failure == nil else { return }
            guard let answer = end.answer else { return promote(key) }
            for call in endKey(key) { replay(answer, to: call) }
        }
    }

    /// Has the book record an end. When it cannot, calls that wait for the key are refused, and the end is kept for the next.
    private func settle(_ end: KeyEnd, _ key: FunctionKey, _ then: @escaping (StoreFailure?) -> Void) {
        let bound = LoopBound((worker: self, end: end, key: key, then: then), on: loop)
        let settled: @Sendable (Result<Void, StoreFailure>) -> Void = { result in
            bound.loop.execute {
                let (worker, end, key, then) = bound.value
                if case .failure(let failure) = result {
                    worker.postpone(end, key, failure)
                    then(failure)
                } else {
                    then(nil)
                }
                worker.endPending()
            }
        }
        beginPending()
        if let answer = end.answer {
            book.complete(end.claim, answer: answer, call: end.call, then: settled)
        } else {
            book.giveUp(end.claim, call: end.call, then: settled)
        }
    }

    private func postpone(_ end: KeyEnd, _ key: FunctionKey, _ failure: StoreFailure) {
        let waiting = endKey(key)
        if unrecordedEnds < settings.unrecordedLimit {
            unrecordedEnds += 1
            keysUnderWay[key] = KeyUnderWay(payloadDigest: end.claim.payloadDigest, unrecorded: end)
        }
        for call in waiting {
            let sentence =
                "run \(call.name): the end of the first call with its key could not be recorded: \(failure.sentence)"
            refuse(call, .service(sentence))
        }
    }

    /// Answers a call with the first answer of its key.
    private func replay(_ first: KeyedAnswer, to invoked: InvokedCall) {
        var record = invoked.record(.replayed)
        record.version = first.version
        record.answerBytes = first.payload.count
        record.answerDigest = PayloadDigest.of(first.payload)
        if invoked.call.function.settings.recordsPayloads { record.recordedPayload = invoked.call.payload }
        ledger.append(record)
        var answer = InvocationAnswer(
            payload: first.payload, contentType: first.contentType, functionError: first.functionError, call: record)
        answer.isReplayed = true
        answer.isRecorded = true
        if let stream = invoked.call.stream {
            stream.begin(first.contentType ?? "application/octet-stream", isReplayed: true)
            stream.part(first.payload)
            answer.payload = []
        }
        invoked.done(.answered(answer))
    }
}
