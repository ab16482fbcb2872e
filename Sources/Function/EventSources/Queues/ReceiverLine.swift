/// Receivers that wait for messages of one queue, first come first served. Pure.
///
/// Invariants
/// 1. Whenever something may have become receivable, somebody who waits looks, until one looks in vain.
///    (test: `one message wakes one receiver and two wake two`)
/// 2. Nobody waits longer than wished, and nobody is answered twice. (test: `a receiver that waits is answered at its deadline`)
struct ReceiverLine {
    enum Event: Hashable {
        /// Has just looked in vain, and wants to wait.
        case waits(Int)
        /// Has just looked and found something.
        case found(Int)
        /// Something was sent, given back, or has become visible.
        case news
        /// Does not wait any more.
        case gone(Int)
    }

    enum Action: Hashable {
        case look(Int)
    }

    private var waiting: [Int] = []
    private var looking: Set<Int> = []
    /// Something has happened while somebody was looking, who may have looked too early to see it.
    private var hasNews = false

    var isEmpty: Bool { waiting.isEmpty && looking.isEmpty }

    func isWaiting(_ receiver: Int) -> Bool { waiting.contains(receiver) }

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .waits(let receiver):
            let wasLooking = looking.remove(receiver) != nil
            // One who was called keeps its place at the front.
            if wasLooking { waiting.insert(receiver, at: 0) } else { waiting.append(receiver) }
            guard hasNews else { return [] }
            hasNews = false
            return callNext()
        case .found(let receiver):
            looking.remove(receiver)
            hasNews = false
            return callNext()
        case .news:
            if !looking.isEmpty { hasNews = true }
            return callNext()
        case .gone(let receiver):
            waiting.removeAll { $0 == receiver }
            guard looking.remove(receiver) != nil else { return [] }
            return callNext()
        }
    }

    private mutating func callNext() -> [Action] {
        guard !waiting.isEmpty else { return [] }
        let next = waiting.removeFirst()
        looking.insert(next)
        return [.look(next)]
    }
}
