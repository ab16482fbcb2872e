@testable import Functions

/// Tells an instance pool a story, one event after the other, and collects what it orders. Room is granted at once, as
/// long as there is some.
struct InstancePoolStory {
    var pool: InstancePool
    var now = Instant(nanoseconds: 1_000_000_000)
    /// How many more instances there is memory for.
    var room = 100
    /// Everything that was ordered by the last telling, timers left out.
    var actions: [InstancePoolAction] = []
    var lastCall: UInt64 = 0

    init(_ change: (inout InstancePoolSettings) -> Void = { _ in }) {
        var settings = InstancePoolSettings()
        change(&settings)
        pool = InstancePool(settings)
    }

    @discardableResult
    mutating func tell(_ events: InstancePoolEvent...) -> [InstancePoolAction] {
        var all: [InstancePoolAction] = []
        for event in events {
            pool.handle(event, now: now, &all)
            while pool.appetite > 0, room > 0 {
                room -= 1
                pool.handle(.roomGranted, now: now, &all)
            }
        }
        actions = all.filter { if case .setTimer = $0 { false } else { true } }
        return actions
    }

    /// So many calls arrive, numbered on.
    @discardableResult
    mutating func call(_ count: Int = 1, deadline: Instant? = nil) -> [InstancePoolAction] {
        var all: [InstancePoolAction] = []
        for _ in 0..<count {
            lastCall += 1
            all += tell(.callArrived(CallID(lastCall), deadline: deadline))
        }
        actions = all
        return all
    }

    @discardableResult
    mutating func ready(_ ids: UInt64...) -> [InstancePoolAction] {
        var all: [InstancePoolAction] = []
        for id in ids { all += tell(.instanceReady(InstanceID(id))) }
        actions = all
        return all
    }

    @discardableResult
    mutating func free(_ id: UInt64) -> [InstancePoolAction] {
        tell(.instanceFreed(InstanceID(id), isReclaimed: false))
    }

    @discardableResult
    mutating func ended(_ id: UInt64, _ how: String = "exited with status 0") -> [InstancePoolAction] {
        tell(.instanceEnded(InstanceID(id), how))
    }

    @discardableResult
    mutating func fails(_ id: UInt64, isPermanent: Bool = false) -> [InstancePoolAction] {
        let failure = InstanceStartFailure(
            errorType: "Runtime.ExitError", errorMessage: "exit status 1", isPermanent: isPermanent)
        let actions = tell(.instanceFailed(InstanceID(id), failure))
        return actions + tell(.instanceEnded(InstanceID(id), "exited with status 1"))
    }

    /// Lets time pass, with the timers that go off.
    @discardableResult
    mutating func wait(_ span: Duration) -> [InstancePoolAction] {
        let end = now + span
        var all: [InstancePoolAction] = []
        while let timer = pool.timer, timer <= end {
            now = max(now, timer)
            all += tell(.timer)
        }
        now = end
        actions = all
        return all
    }
}

extension InstancePoolAction {
    static func launch(_ id: UInt64) -> InstancePoolAction { .launch(InstanceID(id), isProvisioned: false) }
    static func stop(_ id: UInt64) -> InstancePoolAction { .stop(InstanceID(id), .spindown) }
    static func hand(_ id: UInt64, _ call: UInt64) -> InstancePoolAction { .hand(InstanceID(id), to: CallID(call)) }

    var failedCall: UInt64? {
        guard case .fail(let call, _) = self else { return nil }
        return call.number
    }

    var refusal: InstanceRefusal? {
        guard case .refuse(_, let refusal) = self else { return nil }
        return refusal
    }

    var launched: UInt64? {
        guard case .launch(let id, _) = self else { return nil }
        return id.number
    }
}
