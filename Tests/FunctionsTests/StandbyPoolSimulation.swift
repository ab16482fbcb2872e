import Testing
import TestKit

@testable import Functions

/// A world around one pool, in which everything happens in any order that is possible, chosen by a seed; after each
/// event the pool's invariants are checked against the world's own books.
struct PoolWorld {
    enum Place { case ordered, running, stopping }

    var chance: SeededChance
    var pool: StandbyPool
    var now = Instant(nanoseconds: 0)
    /// What the world knows of instances and calls, from actions alone.
    var places: [InstanceID: Place] = [:]
    var seenReady: Set<InstanceID> = []
    var owner: [InstanceID: CallID] = [:]
    var everOrdered: Set<InstanceID> = []
    var everGiven: Set<InstanceID> = []
    var waiting: [CallID] = []
    var arrivedAt: [CallID: Instant] = [:]
    var answered: Set<CallID> = []
    var lastCall: UInt64 = 0
    var timer: Instant?
    var isOpen = true
    /// The highest maximum that is still in force for somebody alive.
    var broken: [String] = []
    var handed = 0
    var failed = 0

    init(seed: UInt64) {
        chance = SeededChance(seed: seed)
        pool = StandbyPool(program: "p", Self.configuration(&chance))
    }

    static func configuration(_ chance: inout SeededChance) -> PoolConfiguration {
        let maximum = Int.random(in: 1...8, using: &chance)
        var configuration = PoolConfiguration(
            minimum: Int.random(in: 0...maximum, using: &chance), maximum: maximum,
            startsAtOnce: Int.random(in: 1...4, using: &chance))
        configuration.waitingCallsLimit = Int.random(in: 0...12, using: &chance)
        configuration.waitingTimeLimit = .milliseconds(Int.random(in: 1...2000, using: &chance))
        configuration.startTimeLimit = .milliseconds(Int.random(in: 1...2000, using: &chance))
        configuration.idleTimeout = .milliseconds(Int.random(in: 1...2000, using: &chance))
        configuration.longestWait = .milliseconds(Int.random(in: 1...4000, using: &chance))
        configuration.refillDelay = .milliseconds(Int.random(in: 0...500, using: &chance))
        configuration.lastRefillDelay = min(configuration.lastRefillDelay, configuration.refillDelay)
        configuration.longestPause = .milliseconds(Int.random(in: 100...1000, using: &chance))
        if Bool.random(using: &chance) {
            configuration.keepsMinimumFor = .milliseconds(Int.random(in: 1...3000, using: &chance))
        }
        return configuration
    }

    mutating func expect(_ holds: Bool, _ what: String) {
        if !holds { broken.append("\(what) (\(chance) at \(now.nanoseconds) ns)") }
    }

    mutating func live(steps: Int) {
        for _ in 0..<steps where broken.isEmpty { step() }
        finish()
    }

    mutating func step() {
        if Int.random(in: 0..<4, using: &chance) == 0 {
            now = now + .microseconds(Int.random(in: 1...400_000, using: &chance))
        }
        guard let event = choose() else { return }
        send(event)
    }

    mutating func choose() -> PoolEvent? {
        let instances = places.keys.sorted()
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<30:
            lastCall += 1
            return .callArrived(CallID(lastCall))
        case 30..<36:
            guard lastCall > 0 else { return nil }
            return .callerLeft(CallID(UInt64.random(in: 1...lastCall, using: &chance)))
        case 36..<58:
            guard let id = instances.filter({ places[$0] == .ordered }).randomElement(using: &chance) else { return nil }
            if Int.random(in: 0..<10, using: &chance) == 0 {
                return .instanceFailedToStart(id, reason: "no luck")
            }
            return .instanceStarted(id)
        case 58..<72:
            guard let id = instances.filter({ places[$0] != .ordered }).randomElement(using: &chance) else { return nil }
            return Int.random(in: 0..<30, using: &chance) == 0
                ? .readinessUnknown(id, reason: "not allowed") : .instanceReady(id)
        case 72..<90:
            let running = instances.filter { places[$0] != .ordered }
            // What was told to stop, and what serves, ends more often than what waits.
            let likely = running.filter { places[$0] == .stopping || owner[$0] != nil }
            let pick = Int.random(in: 0..<6, using: &chance) > 0 ? likely : running
            guard let id = pick.randomElement(using: &chance) else { return nil }
            return .instanceEnded(id, how: "ended with status 0")
        case 90..<98:
            return .timer
        case 98:
            return .configurationChanged(Self.configuration(&chance))
        default:
            guard Int.random(in: 0..<4, using: &chance) == 0 else { return nil }
            return Bool.random(using: &chance) ? .drain : .close
        }
    }

    mutating func send(_ event: PoolEvent) {
        note(event)
        for action in pool.handle(event, now: now) { perform(action) }
        checkEverything()
    }

    mutating func note(_ event: PoolEvent) {
        switch event {
        case .callArrived(let call):
            waiting.append(call)
            arrivedAt[call] = now
        case .callerLeft(let call): waiting.removeAll { $0 == call }
        case .instanceStarted(let id): places[id] = .running
        case .instanceReady(let id): seenReady.insert(id)
        case .instanceFailedToStart(let id, _), .instanceEnded(let id, _):
            if owner[id] == nil, places[id] != .stopping { failed += 1 }
            places[id] = nil
            owner[id] = nil
            seenReady.remove(id)
        case .timer: timer = nil
        case .drain, .close: isOpen = false
        case .readinessUnknown, .configurationChanged: break
        }
    }

    mutating func perform(_ action: PoolAction) {
        switch action {
        case .start(let id):
            expect(everOrdered.insert(id).inserted, "\(id) is ordered twice")
            expect(places.count < pool.configuration.maximum, "more than the maximum are alive")
            places[id] = .ordered
        case .hand(let id, let call, let handOver):
            expect(places[id] == .running, "\(id) is given away and does not run")
            expect(everGiven.insert(id).inserted, "\(id) is given twice")
            expect(waiting.first == call, "\(call) is served before its turn")
            expect(answered.insert(call).inserted, "\(call) is answered twice")
            expect(handOver.wasReady == seenReady.contains(id), "\(id): wrong about its readiness")
            expect(handOver.queued == now - arrivedAt[call]!, "\(call): wrong about its wait")
            waiting.removeAll { $0 == call }
            owner[id] = call
            handed += 1
        case .refuse(let call, _):
            expect(waiting.contains(call), "\(call) is refused and does not wait")
            expect(answered.insert(call).inserted, "\(call) is answered twice")
            waiting.removeAll { $0 == call }
        case .stop(let id):
            expect(places[id] == .running, "\(id) is stopped and does not run")
            places[id] = .stopping
        case .setTimer(let time): timer = time
        }
    }

    mutating func checkEverything() {
        let counts = pool.counts
        let idle = places.filter { $0.value == .running && owner[$0.key] == nil }.keys
        expect(counts.waiting == waiting.count, "the pool believes in other waiting calls")
        expect(counts.busy == owner.filter { places[$0.key] == .running }.count, "the pool believes in other busy ones")
        expect(counts.starting + counts.ready + counts.busy + counts.stopping == places.count, "lost count")
        expect(waiting.isEmpty || !idle.contains { seenReady.contains($0) }, "a call waits beside a ready instance")
        expect(waiting.count <= max(pool.configuration.waitingCallsLimit, 12), "too many wait")
        for call in waiting.prefix(1) {
            expect(arrivedAt[call]! + pool.configuration.waitingTimeLimit > now, "\(call) waits too long")
            expect(timer != nil, "a call waits and no timer is set")
        }
        if let timer, let call = waiting.first {
            expect(timer <= arrivedAt[call]! + pool.configuration.waitingTimeLimit, "the timer comes too late")
        }
        if !isOpen { expect(idle.count <= waiting.count, "a closed pool keeps spare copies") }
    }

    /// After any life, a pool that is closed comes to its end.
    mutating func finish() {
        send(.close)
        for id in places.keys.sorted() where places[id] == .ordered { send(.instanceStarted(id)) }
        expect(places.allSatisfy { $0.value == .stopping || owner[$0.key] != nil }, "an instance leaks")
        for id in places.keys.sorted() { send(.instanceEnded(id, how: "ended with status 0")) }
        expect(pool.isFinished, "a closed pool does not finish")
        expect(places.isEmpty && waiting.isEmpty, "something is left")
    }
}

@Suite struct StandbyPoolSimulation {
    @Test func `hundreds of seeded lives keep every invariant`() {
        var handed = 0
        var failed = 0
        for seed in 1...300 {
            var world = PoolWorld(seed: UInt64(seed))
            world.live(steps: 400)
            #expect(world.broken == [])
            if !world.broken.isEmpty { return }
            handed += world.handed
            failed += world.failed
        }
        // A simulation in which nothing happens would prove nothing.
        #expect(handed > 2500)
        #expect(failed > 250)
    }

    @Test func `the books of the simulation notice an instance that is given twice`() {
        var world = PoolWorld(seed: 1)
        world.places[InstanceID(1)] = .running
        world.waiting = [CallID(1), CallID(2)]
        world.arrivedAt = [CallID(1): world.now, CallID(2): world.now]
        let handOver = HandOver(queued: .zero, wasReady: false, startedIn: nil)
        world.perform(.hand(InstanceID(1), to: CallID(1), handOver))
        #expect(world.broken.isEmpty)
        world.perform(.hand(InstanceID(1), to: CallID(2), handOver))
        #expect(world.broken.count == 1)
    }
}
