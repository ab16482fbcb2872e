import TestKit
import Testing

@testable import Functions

/// A world around one instance pool, in which everything happens in any order that is possible, chosen by a seed; after
/// each event the pool's invariants are checked against the world's own books, which it keeps from actions alone.
struct InstanceWorld {
    struct Copy {
        var isReady = false
        var isStopping = false
        var hasFailed = false
        var isProvisioned: Bool
        var calls: Set<CallID> = []
        var served = 0
    }

    var chance: SeededChance
    var pool: InstancePool
    var now = Instant(nanoseconds: 0)
    var copies: [InstanceID: Copy] = [:]
    var waiting: [CallID] = []
    var expiry: [CallID: Instant] = [:]
    var lastCall: UInt64 = 0
    var lastLaunched: UInt64 = 0
    var timer: Instant?
    var isOpen = true
    var isClosed = false
    /// Whether the event that is told is one after which the pool may launch.
    var mayLaunch = false
    var promised = 0
    var broken: [String] = []
    var handed = 0
    var shortcuts = 0
    var failed = 0
    var stopped = 0

    init(seed: UInt64) {
        chance = SeededChance(seed: seed)
        var settings = InstancePoolSettings()
        settings.places = Bool.random(using: &chance) ? 1 : Int.random(in: 2...4, using: &chance)
        settings.isFresh = settings.places == 1 && Int.random(in: 0..<3, using: &chance) == 0
        settings.waitingCallsLimit = Int.random(in: 1...20, using: &chance)
        settings.waitingTimeLimit = .milliseconds(Int.random(in: 1...2000, using: &chance))
        settings.idleTimeout = .milliseconds(Int.random(in: 1...4000, using: &chance))
        settings.fadeInterval = .milliseconds(Int.random(in: 1...1000, using: &chance))
        settings.recycleAge = .milliseconds(Int.random(in: 1000...8000, using: &chance))
        settings.preparedLimit = Int.random(in: 1...4, using: &chance)
        settings.failuresLimit = Int.random(in: 1...4, using: &chance)
        settings.longestPause = .milliseconds(Int.random(in: 200...1000, using: &chance))
        pool = InstancePool(settings)
    }

    mutating func expect(_ holds: Bool, _ what: String) {
        if !holds { broken.append("\(what) (\(chance) at \(now.nanoseconds) ns)") }
    }

    mutating func live(steps: Int) {
        for _ in 0..<steps where broken.isEmpty { step() }
        if broken.isEmpty { finish() }
    }

    mutating func step() {
        if Int.random(in: 0..<4, using: &chance) == 0 {
            now = now + .microseconds(Int.random(in: 1...300_000, using: &chance))
            // Timers go off in time.
            while let at = timer, at <= now, broken.isEmpty { send(.timer) }
        }
        let ids = copies.keys.sorted()
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<30: arrive()
        case 30..<60:
            guard let id = ids.filter({ !copies[$0]!.calls.isEmpty }).randomElement(using: &chance) else { return }
            free(id)
        case 60..<78:
            guard let id = ids.filter({ !copies[$0]!.isReady && !copies[$0]!.hasFailed }).randomElement(using: &chance)
            else { return }
            if Int.random(in: 0..<6, using: &chance) == 0 {
                copies[id]!.hasFailed = true
                let isPermanent = Int.random(in: 0..<4, using: &chance) == 0
                send(
                    .instanceFailed(
                        id, InstanceStartFailure(errorType: "E", errorMessage: "no luck", isPermanent: isPermanent)))
            } else {
                copies[id]!.isReady = true
                send(.instanceReady(id))
            }
        case 78..<92:
            // What was told to stop, and what has failed, ends more often than what serves.
            let likely = ids.filter { copies[$0]!.isStopping || copies[$0]!.hasFailed }
            let pick = Int.random(in: 0..<5, using: &chance) > 0 ? likely : ids
            guard let id = pick.randomElement(using: &chance) else { return }
            copies[id] = nil
            send(.instanceEnded(id, "ended"))
        case 92: returnCall(ids)
        case 93..<95: send(.evict)
        case 95..<97: send(.timer)
        case 97..<99:
            guard isOpen else { return }
            promised = Int.random(in: 0...3, using: &chance)
            send(.provision(promised))
        default:
            guard Int.random(in: 0..<3, using: &chance) == 0 else { return }
            isOpen = false
            promised = 0
            isClosed = isClosed || Bool.random(using: &chance)
            send(isClosed ? .close : .drain)
        }
    }

    mutating func arrive() {
        lastCall += 1
        let call = CallID(lastCall)
        if let id = pool.takeAtOnce(now: now) {
            shortcuts += 1
            expect(waiting.isEmpty, "\(call) has passed those who wait")
            give(id, to: call)
            return checkEverything()
        }
        let deadline =
            Int.random(in: 0..<4, using: &chance) == 0
            ? now + .milliseconds(Int.random(in: 0...500, using: &chance)) : nil
        waiting.append(call)
        let limit = now + pool.settings.waitingTimeLimit
        expiry[call] = min(limit, deadline ?? limit)
        send(.callArrived(call, deadline: deadline))
    }

    mutating func free(_ id: InstanceID) {
        copies[id]!.calls.remove(copies[id]!.calls.min()!)
        if Bool.random(using: &chance), pool.freeAtOnce(id, now: now) {
            shortcuts += 1
            return checkEverything()
        }
        send(.instanceFreed(id, isReclaimed: Int.random(in: 0..<10, using: &chance) == 0))
    }

    /// An instance was ending already when it was given its call: the call waits again, as the first.
    mutating func returnCall(_ ids: [InstanceID]) {
        guard
            let id = ids.filter({ !copies[$0]!.calls.isEmpty && !copies[$0]!.isStopping }).randomElement(using: &chance)
        else { return }
        let call = copies[id]!.calls.max()!
        copies[id]!.calls.remove(call)
        waiting.insert(call, at: 0)
        expiry[call] = now + pool.settings.waitingTimeLimit
        send(.callReturned(call, id, deadline: nil))
    }

    mutating func send(_ event: InstancePoolEvent) {
        if event == .timer { timer = nil }
        tell(event)
        // Room is scarce now and then.
        for _ in 0..<8 where pool.appetite > 0 && Int.random(in: 0..<5, using: &chance) > 0 {
            mayLaunch = true
            tell(.roomGranted)
            mayLaunch = false
        }
        checkEverything()
    }

    private mutating func tell(_ event: InstancePoolEvent) {
        var actions: [InstancePoolAction] = []
        pool.handle(event, now: now, &actions)
        for action in actions { perform(action) }
    }

    mutating func give(_ id: InstanceID, to call: CallID) {
        guard var copy = copies[id] else { return expect(false, "\(id) is given away and is not there") }
        expect(copy.isReady && !copy.isStopping, "\(id) is given away and is not ready")
        expect(copy.calls.count < pool.settings.places, "\(id) has more calls than places")
        expect(!pool.settings.isFresh || copy.served == 0, "\(id) is fresh and serves twice")
        copy.calls.insert(call)
        copy.served += 1
        copies[id] = copy
        handed += 1
    }

    mutating func perform(_ action: InstancePoolAction) {
        switch action {
        case .launch(let id, let isProvisioned):
            expect(mayLaunch, "\(id) is launched without room")
            expect(id.number == lastLaunched + 1, "\(id) is launched twice")
            expect(!isClosed, "\(id) is launched by a closed pool")
            lastLaunched = id.number
            copies[id] = Copy(isProvisioned: isProvisioned)
        case .hand(let id, let call):
            expect(waiting.first == call, "\(call) is served before its turn")
            waiting.removeAll { $0 == call }
            give(id, to: call)
        case .refuse(let call, let reason):
            expect(waiting.contains(call), "\(call) is refused and does not wait")
            if reason == .deadlinePassed || reason == .waitedTooLong(pool.settings.waitingTimeLimit) {
                expect(expiry[call]! <= now, "\(call) is refused before its time")
            }
            waiting.removeAll { $0 == call }
        case .fail(let call, _):
            expect(waiting.contains(call), "\(call) is failed and does not wait")
            expect(
                copies.values.allSatisfy { !$0.isReady || $0.isStopping },
                "\(call) is failed beside instances that work")
            waiting.removeAll { $0 == call }
            failed += 1
        case .stop(let id, _):
            guard let copy = copies[id] else { return expect(false, "\(id) is stopped and is not there") }
            expect(!copy.isStopping, "\(id) is stopped twice")
            expect(copy.calls.isEmpty, "\(id) is stopped in the middle of a call")
            copies[id]!.isStopping = true
            stopped += 1
        case .setTimer(let time):
            expect(time > now, "a timer is set for the past")
            timer = time
        }
    }

    mutating func checkEverything() {
        let counts = pool.counts
        let ready = copies.values.filter { $0.isReady && !$0.isStopping }
        expect(counts.waiting == waiting.count, "the pool believes in other waiting calls")
        expect(counts.busy == ready.filter { !$0.calls.isEmpty }.count, "the pool believes in other busy instances")
        expect(
            counts.starting == copies.values.filter { !$0.isReady && !$0.hasFailed && !$0.isStopping }.count,
            "the pool believes in other starts")
        expect(pool.alive == copies.count, "the pool has lost count")
        expect(counts.idle <= ready.filter(\.calls.isEmpty).count, "the pool believes in other idle instances")
        expect(waiting.isEmpty || counts.idle == 0, "a call waits beside an idle instance")
        expect(waiting.isEmpty || pool.roster.partial.isEmpty, "a call waits beside a free place")
        expect(waiting.count <= pool.settings.waitingCallsLimit + 12, "too many wait")
        expect(waiting.allSatisfy { expiry[$0]! > now }, "a call waits too long")
        if let first = waiting.map({ expiry[$0]! }).min() {
            expect(timer.map { $0 <= first } ?? false, "no timer ends the waiting")
        }
        if isOpen { expect(pool.promised == promised, "a promise is forgotten") }
        expect(pool.roster.provisioned <= max(promised, 0), "more is provisioned than promised")
        if !isOpen { expect(counts.idle == 0, "a drained pool keeps idle instances") }
        if isClosed { expect(waiting.isEmpty && pool.appetite == 0, "a closed pool goes on") }
    }

    /// After any life: nobody calls any more, everything that starts is started, what runs ends, and nothing is left.
    mutating func finish() {
        promised = 0
        if isOpen { send(.provision(0)) }
        for _ in 0..<2000 where !(pool.isEmpty && pool.appetite == 0) && broken.isEmpty {
            for id in copies.keys.sorted() {
                guard let copy = copies[id] else { continue }
                if copy.isStopping || copy.hasFailed {
                    copies[id] = nil
                    send(.instanceEnded(id, "ended"))
                } else if !copy.isReady {
                    copies[id]!.isReady = true
                    send(.instanceReady(id))
                } else if !copy.calls.isEmpty {
                    free(id)
                }
            }
            now = now + .milliseconds(100)
            while let at = timer, at <= now, broken.isEmpty { send(.timer) }
        }
        expect(pool.isEmpty && waiting.isEmpty && copies.isEmpty, "something is left of a pool that nobody calls")
        now = now + .seconds(60)
        expect(pool.isForgettable(now: now), "an empty pool cannot be forgotten")
    }
}

@Suite struct InstancePoolSimulation {
    @Test func `hundreds of seeded lives keep every invariant`() {
        var sums = (handed: 0, shortcuts: 0, failed: 0, stopped: 0)
        for seed in 1...400 {
            var world = InstanceWorld(seed: UInt64(seed))
            world.live(steps: 500)
            #expect(world.broken == [])
            if !world.broken.isEmpty { return }
            sums = (
                sums.handed + world.handed, sums.shortcuts + world.shortcuts, sums.failed + world.failed,
                sums.stopped + world.stopped
            )
        }
        // A simulation in which nothing happens would prove nothing.
        #expect(sums.handed > 10_000)
        #expect(sums.shortcuts > 2000)
        #expect(sums.failed > 500)
        #expect(sums.stopped > 2000)
    }

    @Test func `the books of the simulation notice an instance with one call too many`() {
        var world = InstanceWorld(seed: 1)
        world.copies[InstanceID(1)] = .init(isReady: true, isProvisioned: false)
        for call in 1...UInt64(world.pool.settings.places) { world.give(InstanceID(1), to: CallID(call)) }
        #expect(world.broken.isEmpty)
        world.give(InstanceID(1), to: CallID(99))
        #expect(world.broken.count == 1)
    }
}
