/// First in, first out; with a look at what is inside. What has left is released at once.
struct Fifo<Element: Sendable>: Sendable {
    private var slots: [Element?] = []
    private var start = 0

    var count: Int { slots.count - start }
    var isEmpty: Bool { count == 0 }

    /// Counted from the first.
    subscript(index: Int) -> Element { slots[start + index]! }

    var first: Element? { isEmpty ? nil : self[0] }
    var last: Element? { isEmpty ? nil : self[count - 1] }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = slots[start]
        slots[start] = nil
        start += 1
        // Moved only when half is empty, so that each element is moved once on average.
        if start * 2 > slots.count {
            slots.removeFirst(start)
            start = 0
        }
        return element
    }
}
