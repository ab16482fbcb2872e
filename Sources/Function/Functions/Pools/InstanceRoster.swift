/// Which instance of a pool is in which state, and which is used next. Keeps counts and orders, decides nothing.
///
/// Invariants (`hundreds of seeded lives keep every invariant` compares them with books of its own):
/// 1. `idle`, `idleProvisioned` and `partial` list exactly the ready instances with no call, and with a call and a free
///    place; what is listed last was used last.
/// 2. `starting`, `busy`, `stopping` and `provisioned` count exactly what their comments say.
struct InstanceRoster: Sendable {
    enum Phase: Hashable, Sendable {
        case starting, ready
        /// Told to go, or failed: `.ended` will come.
        case stopping
    }

    struct Instance: Sendable {
        var phase = Phase.starting
        var isProvisioned: Bool
        /// Takes no more calls and goes when the last one has left.
        var isLeaving = false
        /// Calls on it.
        var used = 0
        /// Whether it has ever had one.
        var wasUsed = false
        var orderedAt: Instant
        /// When its last call came or left, or it became ready.
        var changedAt: Instant
        var readyAt: Instant
    }

    private var instances: [InstanceID: Instance] = [:]
    /// Ready, no call, not leaving; the one used last is the last.
    private(set) var idle: [InstanceID] = []
    /// The same of provisioned ones.
    private(set) var idleProvisioned: [InstanceID] = []
    /// Ready, with calls and a free place, not leaving.
    private(set) var partial: [InstanceID] = []
    private(set) var starting = 0
    /// Ready instances with at least one call.
    private(set) var busy = 0
    private(set) var stopping = 0
    /// Provisioned ones that start or are ready, and do not leave.
    private(set) var provisioned = 0
    /// Those of them that are ready.
    private(set) var provisionedReady = 0
    private let places: Int

    init(places: Int) { self.places = places }

    var alive: Int { instances.count }
    /// Those that start or are ready.
    var usable: Int { instances.count - stopping }
    var spare: Int { idle.count + idleProvisioned.count }
    subscript(id: InstanceID) -> Instance? { instances[id] }
    var all: [InstanceID: Instance] { instances }

    mutating func add(_ id: InstanceID, isProvisioned: Bool, now: Instant) {
        instances[id] = Instance(isProvisioned: isProvisioned, orderedAt: now, changedAt: now, readyAt: now)
        starting += 1
        if isProvisioned { provisioned += 1 }
    }

    /// - Returns: how long it took; nil when it was told to go meanwhile.
    mutating func becomeReady(_ id: InstanceID, now: Instant) -> Duration? {
        guard var instance = instances[id], instance.phase == .starting else { return nil }
        instance.phase = .ready
        instance.readyAt = now
        instance.changedAt = now
        instances[id] = instance
        starting -= 1
        if instance.isProvisioned { provisionedReady += 1 }
        list(id, instance)
        return now - instance.orderedAt
    }

    /// Takes a place for a call: on an instance that has calls already, since what stays idle can go; else on the one
    /// that was used last. Provisioned ones come first: they stay anyhow.
    mutating func takePlace(now: Instant) -> InstanceID? {
        guard let id = partial.last ?? idleProvisioned.last ?? idle.last else { return nil }
        let isFull = instances[id]!.takePlace(of: places, now: now)
        if instances[id]!.used > 1 {
            if isFull { partial.removeLast() }
            return id
        }
        if instances[id]!.isProvisioned { idleProvisioned.removeLast() } else { idle.removeLast() }
        busy += 1
        if !isFull { partial.append(id) }
        return id
    }

    /// Gives a place back.
    ///
    /// - Returns: how long the instance had been unchanged: with one place, how long the call had it.
    mutating func freePlace(_ id: InstanceID, now: Instant) -> Duration? {
        guard let index = instances.index(forKey: id), instances.values[index].used > 0 else { return nil }
        let span = instances.values[index].freePlace(now: now)
        let instance = instances.values[index]
        guard instance.phase == .ready else { return span }
        if instance.used == 0 { busy -= 1 }
        guard !instance.isLeaving else { return span }
        if places > 1, instance.used + 1 < places { partial.removeAll { $0 == id } }
        list(id, instance)
        return span
    }

    /// It takes no more calls.
    mutating func leave(_ id: InstanceID) {
        guard let instance = instances[id], !instance.isLeaving, instance.phase != .stopping else { return }
        unlist(id, instance)
        instances[id]!.isLeaving = true
    }

    mutating func stop(_ id: InstanceID) {
        guard let instance = instances[id], instance.phase != .stopping else { return }
        if !instance.isLeaving { unlist(id, instance) }
        if instance.phase == .starting { starting -= 1 } else if instance.used > 0 { busy -= 1 }
        instances[id]!.phase = .stopping
        stopping += 1
    }

    /// A provisioned instance becomes an ordinary one.
    mutating func demote(_ id: InstanceID) {
        guard let instance = instances[id], instance.isProvisioned, instance.phase != .stopping, !instance.isLeaving
        else { return }
        unlist(id, instance)
        instances[id]!.isProvisioned = false
        if instance.phase == .ready { list(id, instances[id]!) }
    }

    /// - Returns: what it was.
    mutating func remove(_ id: InstanceID) -> Instance? {
        guard let instance = instances[id] else { return nil }
        stop(id)
        instances[id] = nil
        stopping -= 1
        return instance
    }

    private mutating func list(_ id: InstanceID, _ instance: Instance) {
        if instance.used > 0 {
            if instance.used < places { partial.append(id) }
        } else if instance.isProvisioned {
            idleProvisioned.append(id)
        } else {
            idle.append(id)
        }
    }

    private mutating func unlist(_ id: InstanceID, _ instance: Instance) {
        if instance.isProvisioned {
            provisioned -= 1
            if instance.phase == .ready { provisionedReady -= 1 }
        }
        guard instance.phase == .ready else { return }
        if instance.used > 0 {
            partial.removeAll { $0 == id }
        } else if instance.isProvisioned {
            idleProvisioned.removeAll { $0 == id }
        } else {
            idle.removeAll { $0 == id }
        }
    }
}

extension InstanceRoster.Instance {
    /// - Returns: whether it has no place left.
    fileprivate mutating func takePlace(of places: Int, now: Instant) -> Bool {
        used += 1
        wasUsed = true
        changedAt = now
        return used == places
    }

    fileprivate mutating func freePlace(now: Instant) -> Duration {
        used -= 1
        defer { changedAt = now }
        return now - changedAt
    }
}
