@testable import Functions

/// Tells a pool a story, one event after the other, and collects what it orders.
struct PoolStory {
    var pool: StandbyPool
    var now = Instant(nanoseconds: 1_000_000_000)
    /// Everything that was ordered by the last event.
    var actions: [PoolAction] = []

    /// - Parameter replaces: whether copies that were taken are replaced at once.
    init(_ configuration: PoolConfiguration, replacesAtOnce: Bool = true) {
        var configuration = configuration
        if replacesAtOnce {
            configuration.refillDelay = .zero
            configuration.lastRefillDelay = .zero
        }
        pool = StandbyPool(program: "cat", configuration)
    }

    /// - Returns: what was ordered, without timers.
    @discardableResult
    mutating func tell(_ events: PoolEvent...) -> [PoolAction] {
        actions = events.flatMap { pool.handle($0, now: now) }
        return actions.filter { if case .setTimer = $0 { false } else { true } }
    }

    mutating func wait(_ span: Duration) { now = now + span }

    /// Starts instances and lets them become ready.
    mutating func makeReady(_ ids: UInt64...) {
        for id in ids { tell(.instanceStarted(InstanceID(id)), .instanceReady(InstanceID(id))) }
    }

    var timer: Instant? { pool.timer }
}

extension PoolAction {
    static func start(_ id: UInt64) -> PoolAction { .start(InstanceID(id)) }
    static func stop(_ id: UInt64) -> PoolAction { .stop(InstanceID(id)) }

    /// What was handed to whom, without the particulars.
    var pair: [UInt64]? {
        guard case .hand(let id, let call, _) = self else { return nil }
        return [id.number, call.number]
    }

    var handOver: HandOver? {
        guard case .hand(_, _, let handOver) = self else { return nil }
        return handOver
    }

    var refusal: PoolError? {
        guard case .refuse(_, let error) = self else { return nil }
        return error
    }
}

extension PoolEvent {
    static func call(_ number: UInt64) -> PoolEvent { .callArrived(CallID(number)) }
    static func leaves(_ number: UInt64) -> PoolEvent { .callerLeft(CallID(number)) }
    static func started(_ number: UInt64) -> PoolEvent { .instanceStarted(InstanceID(number)) }
    static func ready(_ number: UInt64) -> PoolEvent { .instanceReady(InstanceID(number)) }
    static func ended(_ number: UInt64) -> PoolEvent {
        .instanceEnded(InstanceID(number), how: "ended with status 0")
    }
}
