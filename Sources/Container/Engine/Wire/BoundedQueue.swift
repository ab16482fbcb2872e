import Synchronization

/// A queue between tasks that holds a bounded number of elements: who puts waits while it is full, who takes waits
/// while it is empty.
///
/// Invariants
/// 1. Elements come out in the order in which they went in, each once.
///    (test: `elements come out in order, and who puts waits while the queue is full`)
/// 2. After `finish` nothing goes in; what is in comes out, then nil. (test: `what was put before the end still comes out`)
/// 3. Every wait ends: by an element, by room, by the end, or by cancellation. (test: `a cancelled wait ends`)
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct Waiter<Value: Sendable> {
        var id: UInt64
        var continuation: CheckedContinuation<Value, Never>
    }

    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var taker: Waiter<Element?>?
        /// Those who wait for room, with what they bring.
        var putters: [(waiter: Waiter<Bool>, element: Element)] = []
        var nextID: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int) {
        precondition(limit > 0, "a queue holds at least one element")
        self.limit = limit
    }

    /// Puts an element in, after waiting for room; false when the queue is finished or the task was cancelled.
    @discardableResult
    package func put(_ element: Element) async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: (Bool?, Waiter<Element?>?) = state.withLock { state in
                    if state.isFinished || Task.isCancelled { return (false, nil) }
                    if let taker = state.taker {
                        state.taker = nil
                        return (true, taker)
                    }
                    if state.elements.count < limit {
                        state.elements.append(element)
                        return (true, nil)
                    }
                    state.putters.append((Waiter(id: id, continuation: continuation), element))
                    return (nil, nil)
                }
                outcome.1?.continuation.resume(returning: element)
                if let done = outcome.0 { continuation.resume(returning: done) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter<Bool>? in
                guard let index = state.putters.firstIndex(where: { $0.waiter.id == id }) else { return nil }
                return state.putters.remove(at: index).waiter
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    /// The next element; nil when the queue is finished and empty, or the task was cancelled.
    ///
    /// - Precondition: nobody else waits for one.
    package func take() async -> Element? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: (isDone: Bool, element: Element?, putter: Waiter<Bool>?) = state.withLock { state in
                    precondition(state.taker == nil, "one task takes from a queue")
                    if !state.elements.isEmpty {
                        let element = state.elements.removeFirst()
                        guard !state.putters.isEmpty else { return (true, element, nil) }
                        let next = state.putters.removeFirst()
                        state.elements.append(next.element)
                        return (true, element, next.waiter)
                    }
                    if state.isFinished || Task.isCancelled { return (true, nil, nil) }
                    state.taker = Waiter(id: id, continuation: continuation)
                    return (false, nil, nil)
                }
                outcome.putter?.continuation.resume(returning: true)
                if outcome.isDone { continuation.resume(returning: outcome.element) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter<Element?>? in
                guard let taker = state.taker, taker.id == id else { return nil }
                state.taker = nil
                return taker
            }
            waiter?.continuation.resume(returning: nil)
        }
    }

    /// Lets nothing more in.
    package func finish() {
        let (taker, putters) = state.withLock { state in
            state.isFinished = true
            let waiting = (state.taker, state.putters)
            state.taker = nil
            state.putters = []
            return waiting
        }
        taker?.continuation.resume(returning: nil)
        for putter in putters { putter.waiter.continuation.resume(returning: false) }
    }
}
