import TestKit
import Testing

@testable import Functions

/// The state machine of the Runtime API, event by event.
@Suite struct RuntimeSessionTests {
    typealias Session = RuntimeSession

    /// A session whose runtime has polled with exchange 1.
    private func serving(concurrency: Int = 1) -> Session {
        var session = Session(concurrency: concurrency)
        #expect(session.handle(.next(1)) == [.initialized])
        return session
    }

    private func answered(_ session: inout Session, _ exchange: Int, _ id: String) -> [Session.Action] {
        let begun = session.handle(.answerBegins(exchange, requestID: id, invocationID: nil, isError: false))
        return begun == [.read(exchange)] ? session.handle(.answerEnds(exchange)) : begun
    }

    @Test func `a poll gets the call that comes, and a call the poll that comes`() {
        var session = serving()
        #expect(session.handle(.invoke(requestID: "a")) == [.hand(requestID: "a", invocationID: "1", to: 1)])
        #expect(answered(&session, 2, "a") == [.confirm(2), .complete(requestID: "a", .response), .free])
        // The next call is there before the runtime polls again.
        #expect(session.handle(.invoke(requestID: "b")) == [])
        #expect(session.handle(.next(3)) == [.hand(requestID: "b", invocationID: "2", to: 3)])
        #expect(!session.isIdle)
    }

    @Test func `two polls share two calls`() {
        var session = serving(concurrency: 2)
        #expect(session.handle(.next(2)) == [])
        #expect(session.handle(.invoke(requestID: "a")) == [.hand(requestID: "a", invocationID: "1", to: 1)])
        #expect(session.handle(.invoke(requestID: "b")) == [.hand(requestID: "b", invocationID: "2", to: 2)])
        #expect(session.handle(.next(3)) == [.refuse(3, .invalidState("next", in: "running, before the answer"))])
        #expect(answered(&session, 4, "b") == [.confirm(4), .complete(requestID: "b", .response), .free])
        #expect(session.handle(.next(5)) == [])
        #expect(answered(&session, 6, "a") == [.confirm(6), .complete(requestID: "a", .response), .free])
    }

    @Test func `answers of workers that were crossed are refused`() {
        var session = serving(concurrency: 2)
        _ = session.handle(.next(2))
        _ = session.handle(.invoke(requestID: "a"))
        _ = session.handle(.invoke(requestID: "b"))
        #expect(session.handle(.answerBegins(3, requestID: "a", invocationID: "2", isError: false)) == [.refuse(3, .invalidRequestID)])
        #expect(session.handle(.answerBegins(4, requestID: "a", invocationID: "1", isError: false)) == [.read(4)])
    }

    @Test func `an answer out of state changes nothing`() {
        var session = Session()
        #expect(session.handle(.answerBegins(1, requestID: "a", invocationID: nil, isError: false)).first?.refusal?.status == 403)
        #expect(session.handle(.next(2)) == [.initialized])
        #expect(session.handle(.answerBegins(3, requestID: "a", invocationID: nil, isError: false)) == [.refuse(3, .invalidRequestID)])
        _ = session.handle(.invoke(requestID: "a"))
        #expect(session.handle(.next(4)).first?.refusal?.errorType == "InvalidStateTransition")
        #expect(session.handle(.answerBegins(5, requestID: "b", invocationID: nil, isError: false)) == [.refuse(5, .invalidRequestID)])
        #expect(session.handle(.answerBegins(6, requestID: "a", invocationID: nil, isError: false)) == [.read(6)])
        // A second one while the first is read, and after it.
        #expect(session.handle(.answerBegins(7, requestID: "a", invocationID: nil, isError: false)).first?.refusal?.status == 403)
        #expect(session.handle(.answerEnds(6)) == [.confirm(6), .complete(requestID: "a", .response), .free])
        #expect(session.handle(.answerBegins(8, requestID: "a", invocationID: nil, isError: false)).first?.refusal?.status == 403)
        #expect(session.handle(.initError(9)).first?.refusal?.status == 403)
    }

    @Test func `an answer after the time is up is to a call that is not there`() {
        var session = serving()
        _ = session.handle(.invoke(requestID: "a"))
        #expect(session.handle(.answerBegins(2, requestID: "a", invocationID: nil, isError: false)) == [.read(2)])
        #expect(session.handle(.cancel(requestID: "a")) == [.free])
        #expect(session.handle(.answerEnds(2)) == [.refuse(2, .invalidRequestID)])
    }

    @Test func `an answer that is too large or breaks off ends its call`() {
        var session = serving()
        _ = session.handle(.invoke(requestID: "a"))
        _ = session.handle(.answerBegins(2, requestID: "a", invocationID: nil, isError: false))
        #expect(session.handle(.answerTooLarge(2)) == [.refuse(2, .tooLarge), .complete(requestID: "a", .tooLarge), .free])
        _ = session.handle(.next(3))
        _ = session.handle(.invoke(requestID: "b"))
        _ = session.handle(.answerBegins(4, requestID: "b", invocationID: nil, isError: false))
        #expect(session.handle(.gone(4)) == [.complete(requestID: "b", .truncated), .free])
    }

    @Test func `a runtime that polls again from a new connection is served there`() {
        var session = serving()
        #expect(session.handle(.next(2)).first?.refusal?.status == 403)
        #expect(session.handle(.invoke(requestID: "a")) == [.hand(requestID: "a", invocationID: "1", to: 2)])
    }

    @Test func `an error of initialisation is taken once`() {
        var session = Session()
        #expect(session.handle(.initError(1)) == [.readInitError(1)])
        #expect(session.handle(.initError(2)).first?.refusal?.status == 403)
        #expect(session.handle(.next(3)).first?.refusal?.status == 403)
    }

    // Extensions.

    private func registration(_ name: String, invoke: Bool = true, shutdown: Bool = true) -> Registration {
        Registration(name: name, wantsInvoke: invoke, wantsShutdown: shutdown, id: "id-\(name)")
    }

    @Test func `initialisation waits for extensions, and they are told of calls and of the end`() {
        var session = Session()
        _ = session.handle(.expect(["watcher"]))
        #expect(session.handle(.next(1)) == [])
        #expect(session.handle(.register(2, registration("watcher"))) == [.registered(2, id: "id-watcher", name: "watcher")])
        #expect(session.handle(.extensionNext(3, id: "id-watcher")) == [.initialized])
        #expect(
            session.handle(.invoke(requestID: "a"))
                == [.hand(requestID: "a", invocationID: "1", to: 1), .tellInvoke(3, requestID: "a")])
        // The caller has its answer, but the place is free only when the extension is through with the call.
        #expect(answered(&session, 4, "a") == [.confirm(4), .complete(requestID: "a", .response)])
        #expect(session.handle(.next(5)) == [])
        #expect(session.handle(.extensionNext(6, id: "id-watcher")) == [.free])
        #expect(session.handle(.shutDown) == [.tellShutdown(6)])
        #expect(session.handle(.extensionNext(7, id: "id-watcher")) == [.extensionsDone])
    }

    @Test func `a poll of an instance that is being ended waits for its end`() {
        var session = serving()
        _ = session.handle(.invoke(requestID: "a"))
        _ = answered(&session, 2, "a")
        _ = session.handle(.shutDown)
        #expect(session.handle(.next(3)) == [])
        _ = session.handle(.end)
        #expect(session.handle(.next(4)) == [])
    }

    @Test func `registrations are checked`() {
        var session = Session()
        _ = session.handle(.expect(["outside"]))
        #expect(session.handle(.register(1, registration("inside"))).first?.refusal?.errorType == "Extension.InvalidEventType")
        #expect(session.handle(.register(2, registration("inside", shutdown: false))) == [.registered(2, id: "id-inside", name: "inside")])
        #expect(session.handle(.register(3, registration("inside", shutdown: false))).first?.refusal?.errorType == "Extension.AlreadyRegistered")
        for number in 0..<9 {
            #expect(session.handle(.register(10 + number, registration("more\(number)", shutdown: false))).first?.refusal == nil)
        }
        #expect(session.handle(.register(30, registration("outside"))).first?.refusal?.errorType == "Extension.TooManyExtensions")
        #expect(session.handle(.extensionNext(31, id: nil)).first?.refusal?.errorType == "Extension.MissingExtensionIdentifier")
        #expect(session.handle(.extensionNext(32, id: "id-nobody")).first?.refusal?.errorType == "Extension.UnknownExtensionIdentifier")
        var several = Session(concurrency: 4)
        #expect(several.handle(.register(1, registration("inside", shutdown: false))).first?.refusal?.status == 400)
    }

    @Test func `an extension's failure is the instance's`() {
        var session = Session()
        _ = session.handle(.expect(["watcher"]))
        _ = session.handle(.register(1, registration("watcher")))
        #expect(session.handle(.extensionError(2, id: "id-watcher", isInit: true, errorType: nil)).first?.refusal?.status == 403)
        #expect(
            session.handle(.extensionError(3, id: "id-watcher", isInit: true, errorType: "Extension.NoKey"))
                == [.confirm(3), .extensionFailed(errorType: "Extension.InitError", name: "watcher")])
    }

    @Test(arguments: 0..<200) func `a seeded story of requests ends every call once`(seed: UInt64) {
        var chance = SeededChance(seed: seed)
        let concurrency = Int.random(in: 1...4, using: &chance)
        var session = Session(concurrency: concurrency)
        var story = Story()
        for _ in 0..<300 {
            let event = story.next(&chance, session, concurrency)
            guard let event else { continue }
            story.take(session.handle(event))
        }
        // The runtime answers what it has, and takes what waits.
        for _ in 0..<20 where session.phase == .serving {
            for id in story.running { story.take(session.handle(story.begin(id))) }
            for exchange in story.reading { story.take(session.handle(.answerEnds(exchange))) }
            if session.callCount > 0, story.polls.isEmpty { story.take(session.handle(story.poll())) }
        }
        if session.phase == .serving { #expect(session.callCount == 0) }
        #expect(story.completed.count == Set(story.completed).count)
        #expect(Set(story.completed).union(story.cancelled) == Set(story.given))
        #expect(story.answeredTwice.isEmpty)
    }
}

/// A random story of a runtime and its callers, with its own books.
private struct Story {
    var exchanges = 0
    var polls: [Int] = []
    var running: [String] = []
    var reading: [Int] = []
    var given: [String] = []
    var completed: [String] = []
    var cancelled: Set<String> = []
    var answered: Set<Int> = []
    var answeredTwice: [Int] = []

    mutating func exchange() -> Int {
        exchanges += 1
        return exchanges
    }

    mutating func poll() -> RuntimeSession.Event {
        let number = exchange()
        polls.append(number)
        return .next(number)
    }

    mutating func begin(_ id: String) -> RuntimeSession.Event {
        .answerBegins(exchange(), requestID: id, invocationID: nil, isError: false)
    }

    mutating func next(_ chance: inout SeededChance, _ session: RuntimeSession, _ concurrency: Int) -> RuntimeSession.Event? {
        switch Int.random(in: 0..<8, using: &chance) {
        case 0, 1: return poll()
        case 2, 3:
            guard session.phase == .serving, session.callCount < concurrency else { return nil }
            let id = "call\(given.count)"
            given.append(id)
            return .invoke(requestID: id)
        case 4, 5: return running.randomElement(using: &chance).map { begin($0) } ?? begin("stranger")
        case 6: return reading.randomElement(using: &chance).map { .answerEnds($0) }
        default:
            if let id = given.last, Int.random(in: 0..<4, using: &chance) == 0, !completed.contains(id) {
                cancelled.insert(id)
                running.removeAll { $0 == id }
                return .cancel(requestID: id)
            }
            guard let poll = polls.randomElement(using: &chance) else { return nil }
            polls.removeAll { $0 == poll }
            return .gone(poll)
        }
    }

    private mutating func answer(_ exchange: Int) {
        if !answered.insert(exchange).inserted { answeredTwice.append(exchange) }
        polls.removeAll { $0 == exchange }
        reading.removeAll { $0 == exchange }
    }

    mutating func take(_ actions: [RuntimeSession.Action]) {
        for action in actions {
            switch action {
            case .hand(let id, _, let exchange):
                answer(exchange)
                running.append(id)
            case .confirm(let exchange), .refuse(let exchange, _): answer(exchange)
            case .read(let exchange): reading.append(exchange)
            case .complete(let id, _):
                completed.append(id)
                running.removeAll { $0 == id }
            default: break
            }
        }
    }
}

extension RuntimeSession.Action {
    /// What was refused.
    var refusal: Refusal? { if case .refuse(_, let refusal) = self { refusal } else { nil } }
}
