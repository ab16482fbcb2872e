/// The Runtime API and Extensions API of one instance as a state machine: what its programs ask and what happens to its
/// calls go in, what to answer and to do comes out. Pure: exchanges are numbers, times and bytes are the worker's.
///
/// The runtime polls `next` up to `concurrency` times at once; each poll takes one call, which is answered with
/// `response` or `error` once. Extensions are programs beside the runtime: each is told of calls and of the end, and
/// initialisation is over when the runtime and all of them wait for their first event.
///
/// Invariants (with their tests in RuntimeSessionTests)
/// 1. Each call that was given leaves once: by its answer, by `cancel` or by `end`.
///    (`a seeded story of requests ends every call once`)
/// 2. A call is handed to one poll, and a poll gets one call. (`two polls share two calls`)
/// 3. What comes out of order is refused and changes nothing. (`an answer out of state changes nothing`)
/// 4. Each exchange gets one answer, unless its client has gone. (`a seeded story of requests ends every call once`)
package struct RuntimeSession: Sendable {
    /// A request of a program inside, by the number that the worker gave it.
    package typealias Exchange = Int

    package enum Phase: Hashable, Sendable {
        case initializing
        case serving
        case shuttingDown
        case ended
    }

    enum CallState: Hashable, Sendable {
        case queued
        /// The runtime has it.
        case running
        /// Its answer is being read from this exchange.
        case answering(Exchange)
    }

    struct Call: Sendable {
        var requestID: String
        var invocationID: String
        var state: CallState
    }

    let concurrency: Int
    package internal(set) var phase = Phase.initializing
    /// Polls of the runtime that wait, the first come first.
    var polls: [Exchange] = []
    var calls: [Call] = []
    /// Request ids of the last calls that left, to tell an answer that comes twice from one to a call that never was.
    var formerIDs: [String] = []
    var extensions: [Extension] = []
    /// External extensions that were started and have not registered.
    var expected: Set<String> = []
    var hasRuntimePolled = false
    var hasInitError = false
    /// The call that extensions are still busy with after its answer.
    var isSettling = false
    private var lastInvocation: UInt64 = 0

    /// - Parameter concurrency: how many calls the runtime serves at once, and so how often it may poll.
    package init(concurrency: Int = 1) {
        precondition(concurrency > 0, "an instance serves at least one call at a time")
        self.concurrency = concurrency
    }

    package enum Event: Hashable, Sendable {
        // What the programs inside ask.
        case next(Exchange)
        /// The head of an answer has come.
        case answerBegins(Exchange, requestID: String, invocationID: String?, isError: Bool)
        /// The whole answer has been read.
        case answerEnds(Exchange)
        /// The connection broke before the answer was complete.
        case answerBreaks(Exchange)
        /// The answer is longer than answers may be.
        case answerTooLarge(Exchange)
        case initError(Exchange)
        case register(Exchange, Registration)
        case extensionNext(Exchange, id: String?)
        case extensionError(Exchange, id: String?, isInit: Bool, errorType: String?)
        /// The client of an exchange that waits for its answer has gone.
        case gone(Exchange)
        /// The process of an external extension has ended.
        case extensionLeft(name: String)

        // What the worker tells.
        /// External extensions of these names are being started; initialisation waits for them.
        case expect([String])
        /// A call for the runtime. Only while serving, and while it has fewer than `concurrency`.
        case invoke(requestID: String)
        /// A call leaves without an answer of the runtime's: its time is up.
        case cancel(requestID: String)
        /// Extensions are told that it ends.
        case shutDown
        /// Nothing runs any more.
        case end
    }

    package enum Action: Hashable, Sendable {
        /// Answer a poll with a call's event.
        case hand(requestID: String, invocationID: String, to: Exchange)
        /// Read the answer's body.
        case read(Exchange)
        /// 202: the answer was taken.
        case confirm(Exchange)
        case refuse(Exchange, Refusal)
        /// The call has its answer, or has none for this reason.
        case complete(requestID: String, Completion)
        /// The runtime reports that it could not initialise itself.
        case readInitError(Exchange)
        /// Everybody waits for the first call.
        case initialized
        /// A call's place can be taken by the next one.
        case free
        case registered(Exchange, id: String, name: String)
        /// Tell an extension of a call.
        case tellInvoke(Exchange, requestID: String)
        /// Tell an extension of the end.
        case tellShutdown(Exchange)
        /// An extension gave up: the instance ends with this error.
        case extensionFailed(errorType: String, name: String)
        /// Every extension that wanted to hear of the end has done what it had to do.
        case extensionsDone
    }

    package enum Completion: Hashable, Sendable {
        case response
        case error
        case tooLarge
        case truncated
    }

    /// Takes in what happened and says what follows, in this order.
    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .next(let exchange): return next(exchange)
        case .answerBegins(let exchange, let id, let invocation, _): return begin(exchange, id, invocation)
        case .answerEnds(let exchange): return finish(exchange, .response)
        case .answerBreaks(let exchange): return finish(exchange, .truncated)
        case .answerTooLarge(let exchange): return finish(exchange, .tooLarge)
        case .initError(let exchange): return initError(exchange)
        case .register(let exchange, let registration): return register(exchange, registration)
        case .extensionNext(let exchange, let id): return extensionNext(exchange, id)
        case .extensionError(let exchange, let id, let isInit, let type):
            return extensionError(exchange, id, isInit: isInit, type)
        case .gone(let exchange): return gone(exchange)
        case .extensionLeft(let name): return extensionLeft(name)
        case .expect(let names):
            expected.formUnion(names)
            return []
        case .invoke(let id): return invoke(id)
        case .cancel(let id): return cancel(id)
        case .shutDown: return shutDown()
        case .end: return end()
        }
    }

    /// Calls that have not left.
    package var callCount: Int { calls.count }
    /// Whether nothing but the next call is waited for.
    package var isIdle: Bool { phase == .serving && calls.isEmpty && !isSettling }
}

// The runtime.
extension RuntimeSession {
    private mutating func next(_ exchange: Exchange) -> [Action] {
        // It waits like one that polled before: a refusal would be an error in the function's log each time an instance
        // is ended right after its answer.
        if phase == .shuttingDown || phase == .ended { return [] }
        guard phase == .initializing || phase == .serving, !hasInitError else {
            return [.refuse(exchange, .invalidState("next", in: "\(phase)"))]
        }
        let running = calls.count { $0.state != .queued }
        guard running < concurrency else {
            return [.refuse(exchange, .invalidState("next", in: "running, before the answer"))]
        }
        var actions: [Action] = []
        if polls.count + running >= concurrency {
            // One poll more than there are places: the oldest is most likely of a connection that is lost.
            actions.append(.refuse(polls.removeFirst(), .invalidState("next", in: "ready, polled again")))
        }
        polls.append(exchange)
        hasRuntimePolled = true
        return actions + initializedIfSo() + handOver()
    }

    private mutating func invoke(_ id: String) -> [Action] {
        precondition(phase == .serving, "a call for an instance that is \(phase)")
        precondition(calls.count < concurrency && !isSettling, "more calls than the instance has places")
        lastInvocation += 1
        calls.append(Call(requestID: id, invocationID: "\(lastInvocation)", state: .queued))
        return handOver() + tellExtensions(of: id)
    }

    /// Gives queued calls to polls.
    private mutating func handOver() -> [Action] {
        var actions: [Action] = []
        while !polls.isEmpty, let index = calls.firstIndex(where: { $0.state == .queued }) {
            calls[index].state = .running
            actions.append(
                .hand(
                    requestID: calls[index].requestID, invocationID: calls[index].invocationID, to: polls.removeFirst()))
        }
        return actions
    }

    private mutating func begin(_ exchange: Exchange, _ id: String, _ invocation: String?) -> [Action] {
        guard phase == .serving else { return [.refuse(exchange, .invalidState("answer", in: "\(phase)"))] }
        guard let index = calls.firstIndex(where: { $0.requestID == id }) else {
            return [.refuse(exchange, formerIDs.contains(id) ? .invalidState("answer", in: "answered") : .invalidRequestID)]
        }
        switch calls[index].state {
        // Nobody was told this id yet.
        case .queued: return [.refuse(exchange, .invalidRequestID)]
        case .answering: return [.refuse(exchange, .invalidState("answer", in: "answering"))]
        case .running: break
        }
        // Only the workers of one runtime that serve several calls can cross answers; who echoes the id is checked.
        if let invocation, invocation != calls[index].invocationID { return [.refuse(exchange, .invalidRequestID)] }
        calls[index].state = .answering(exchange)
        return [.read(exchange)]
    }

    private mutating func finish(_ exchange: Exchange, _ completion: Completion) -> [Action] {
        guard let index = calls.firstIndex(where: { $0.state == .answering(exchange) }) else {
            // Its call was cancelled while its answer came.
            return completion == .truncated ? [] : [.refuse(exchange, .invalidRequestID)]
        }
        let id = leave(at: index)
        var actions: [Action] = []
        switch completion {
        case .response, .error: actions.append(.confirm(exchange))
        case .tooLarge: actions.append(.refuse(exchange, .tooLarge))
        case .truncated: break
        }
        actions.append(.complete(requestID: id, completion))
        return actions + freeIfSettled()
    }

    private mutating func cancel(_ id: String) -> [Action] {
        guard let index = calls.firstIndex(where: { $0.requestID == id }) else { return [] }
        _ = leave(at: index)
        return freeIfSettled()
    }

    private mutating func leave(at index: Int) -> String {
        let call = calls.remove(at: index)
        formerIDs.append(call.requestID)
        if formerIDs.count > 2 * concurrency { formerIDs.removeFirst() }
        if calls.isEmpty, hasBusyExtensions { isSettling = true }
        return call.requestID
    }

    private mutating func initError(_ exchange: Exchange) -> [Action] {
        // Several workers of one runtime may report the same failure: the first is enough.
        guard phase == .initializing, !hasInitError, !hasRuntimePolled else {
            return [.refuse(exchange, .invalidState("init/error", in: hasInitError ? "failed" : "\(phase)"))]
        }
        hasInitError = true
        return [.readInitError(exchange)]
    }

    /// The step from initialising to serving.
    mutating func initializedIfSo() -> [Action] {
        guard phase == .initializing, hasRuntimePolled, expected.isEmpty, extensions.allSatisfy(\.hasPolled) else { return [] }
        phase = .serving
        return [.initialized]
    }

    /// The place of a call that has left is free when no extension is busy with it any more.
    mutating func freeIfSettled() -> [Action] {
        guard phase == .serving else { return [] }
        if isSettling {
            guard !hasBusyExtensions else { return [] }
            isSettling = false
        }
        return [.free]
    }

    private mutating func gone(_ exchange: Exchange) -> [Action] {
        polls.removeAll { $0 == exchange }
        for index in extensions.indices where extensions[index].poll == exchange { extensions[index].poll = nil }
        return calls.contains { $0.state == .answering(exchange) } ? finish(exchange, .truncated) : []
    }

    private mutating func end() -> [Action] {
        phase = .ended
        polls = []
        calls = []
        return []
    }
}

/// Why a request of a program inside is refused: the status and the JSON of AWS's own emulator.
package struct Refusal: Hashable, Sendable {
    package var status: Int
    package var errorType: String
    package var message: String

    package init(_ status: Int, _ errorType: String, _ message: String) {
        self.status = status
        self.errorType = errorType
        self.message = message
    }

    static let invalidRequestID = Refusal(400, "InvalidRequestID", "Invalid request ID")
    static let tooLarge = Refusal(
        413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (\(AnswerLimits.bufferedBytes) bytes).")

    static func invalidState(_ what: String, in state: String) -> Refusal {
        Refusal(403, "InvalidStateTransition", "Transition by \(what) is not allowed while the runtime is \(state)")
    }
}

/// How long answers may be.
package enum AnswerLimits {
    /// 6 MB and what the service allows on top for its own envelope, as AWS's emulator has it.
    package static let bufferedBytes = 6 * 1024 * 1024 + 100
    /// Of a streamed answer: the service's default quota.
    package static let streamedBytes = 200 * 1024 * 1024
    /// Of an error's JSON; AWS's clients cut longer ones themselves.
    package static let errorBytes = 6 * 1024 * 1024 + 100
}
