/// A binary heap: the least element is found at once and removed in logarithmic time.
struct MinimumHeap<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []

    var isEmpty: Bool { elements.isEmpty }
    var count: Int { elements.count }
    var least: Element? { elements.first }

    mutating func insert(_ element: Element) {
        elements.append(element)
        var at = elements.count - 1
        while at > 0, elements[at] < elements[(at - 1) / 2] {
            elements.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    mutating func removeLeast() -> Element? {
        guard let least = elements.first, let last = elements.popLast() else { return nil }
        guard !elements.isEmpty else { return least }
        elements[0] = last
        var at = 0
        while true {
            let left = 2 * at + 1
            guard left < elements.count else { return least }
            let smaller = left + 1 < elements.count && elements[left + 1] < elements[left] ? left + 1 : left
            guard elements[smaller] < elements[at] else { return least }
            elements.swapAt(at, smaller)
            at = smaller
        }
    }
}
