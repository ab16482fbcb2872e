/// What happens at every 32-bit number, as ranges of neighbours that end alike.
///
/// Invariants
/// 1. The first range begins at 0, each ends where the next begins, and the last ends at the highest number.
/// 2. Neighbouring ranges end differently: they are as long as they can be.
/// Tests: Tests/SandboxTests/SeccompFilterTests.swift.
struct NumberRanges {
    struct Range {
        var first: UInt32
        var node: FilterGraph.Node
    }

    private(set) var ranges: [Range]

    /// Every number ends at this node.
    init(all node: FilterGraph.Node) { ranges = [Range(first: 0, node: node)] }

    /// Numbers from this one on end at this node. To be called in ascending order.
    mutating func set(from first: UInt32, _ node: FilterGraph.Node) {
        let last = ranges[ranges.count - 1]
        precondition(first >= last.first, "ranges are set in ascending order")
        if first == last.first { ranges.removeLast() }
        if ranges.last?.node != node { ranges.append(Range(first: first, node: node)) }
    }

    /// Adds the binary search for a call's number: at most as many comparisons as the number of ranges has bits.
    func search(in graph: inout FilterGraph) -> FilterGraph.Node {
        search(ranges[...], in: &graph)
    }

    private func search(_ part: ArraySlice<Range>, in graph: inout FilterGraph) -> FilterGraph.Node {
        let start = part.startIndex
        if part.count == 1 { return part[start].node }
        if part.count == 3, part[start].node == part[start + 2].node,
            part[start + 1].first + 1 == part[start + 2].first
        {
            // A single number that differs from both its neighbours takes one comparison, not two.
            return graph.decide(
                .number, .equal, part[start + 1].first, yes: part[start + 1].node, no: part[start].node)
        }
        let middle = start + part.count / 2
        let below = search(part[..<middle], in: &graph)
        let above = search(part[middle...], in: &graph)
        return graph.decide(.number, .greaterOrEqual, part[middle].first, yes: above, no: below)
    }
}
