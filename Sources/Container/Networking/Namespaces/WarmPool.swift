/// How many namespaces of a network wait ready, and what to do about it. Pure: events in, actions out.
///
/// The pool does not know what a spare is: it counts, and the worker makes and keeps.
///
/// Invariants
/// 1. Ready and being made together never exceed the target by what the pool ordered.
///    (test: `a pool orders what it lacks and never more`)
/// 2. A spare that is handed out is nobody else's. (test: `a spare is handed out once`)
/// 3. After a failure nothing is ordered until somebody asks again: a machine that refuses is not asked in a loop.
///    (test: `a pool that cannot be filled waits for the next request`)
package struct WarmPool<Spare> {
    /// How many are to be ready.
    package let target: Int
    private var ready: [Spare] = []
    private var beingMade = 0
    private var isClosed = false

    package enum Action {
        /// Make one more and report it.
        case make
        /// Nobody wants it any more.
        case discard(Spare)
    }

    package init(target: Int) { self.target = target }

    package var readyCount: Int { ready.count }

    /// Somebody wants one: a spare if there is any, and what to do then.
    package mutating func take() -> (spare: Spare?, actions: [Action]) {
        let spare = ready.popLast()
        return (spare, fill())
    }

    /// Takes out a spare that stands in somebody's way.
    package mutating func withdraw(where isInTheWay: (Spare) -> Bool) -> Spare? {
        ready.firstIndex(where: isInTheWay).map { ready.remove(at: $0) }
    }

    /// One was made, or came back as good as new.
    package mutating func made(_ spare: Spare) -> [Action] {
        beingMade = max(0, beingMade - 1)
        return keep(spare)
    }

    /// A used one came back as good as new.
    package mutating func returned(_ spare: Spare) -> [Action] { keep(spare) }

    /// One could not be made.
    package mutating func failed() { beingMade = max(0, beingMade - 1) }

    /// The network goes: everything is given up, also what is still being made.
    package mutating func close() -> [Action] {
        isClosed = true
        defer { ready = [] }
        return ready.map(Action.discard)
    }

    private mutating func keep(_ spare: Spare) -> [Action] {
        guard !isClosed, ready.count < target else { return [.discard(spare)] }
        ready.append(spare)
        return []
    }

    private mutating func fill() -> [Action] {
        guard !isClosed else { return [] }
        let missing = max(0, target - ready.count - beingMade)
        beingMade += missing
        return Array(repeating: Action.make, count: missing)
    }
}

extension WarmPool: Sendable where Spare: Sendable {}
extension WarmPool.Action: Sendable where Spare: Sendable {}
