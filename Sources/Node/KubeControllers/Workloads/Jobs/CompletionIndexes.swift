/// A set of completion indexes, as `completedIndexes` writes it: "1,3-5,7".
///
/// Invariants
/// 1. Ranges are sorted and do not touch. (test: `indexes are written as ranges, and no text traps their parser`)
/// 2. No text traps, or takes more room than it has letters. (the same)
struct CompletionIndexes: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<Int64>] = []

    init() {}

    init(_ indexes: some Sequence<Int64>) { insert(indexes) }

    /// Reads what it can: parts that are no ranges, or not in order, count for nothing, as in upstream.
    /// - Parameter limit: Indexes from there on do not count.
    init(_ text: String, below limit: Int64) {
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
            guard let first = ends.first ?? nil, ends.count <= 2, let last = ends.last ?? nil, first >= 0,
                first <= last,
                first < limit, first > ranges.last?.upperBound ?? -1
            else { continue }
            append(first...min(last, limit - 1))
        }
    }

    private mutating func append(_ range: ClosedRange<Int64>) {
        if let last = ranges.last, last.upperBound + 1 >= range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    mutating func insert(_ indexes: some Sequence<Int64>) { merge(indexes.map { $0...$0 }) }

    mutating func formUnion(_ other: CompletionIndexes) { merge(other.ranges) }

    private mutating func merge(_ others: [ClosedRange<Int64>]) {
        guard !others.isEmpty else { return }
        let all = (ranges + others).sorted { $0.lowerBound < $1.lowerBound }
        ranges = []
        for range in all { append(range) }
    }

    var count: Int64 { ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 } }
    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ index: Int64) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < index { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(index)
    }

    /// How many are in both.
    func countCommon(with other: CompletionIndexes) -> Int64 {
        ranges.reduce(0) { sum, range in
            sum
                + other.ranges.filter { $0.overlaps(range) }.reduce(0) { sum, other in
                    let common = other.clamped(to: range)
                    return sum + common.upperBound - common.lowerBound + 1
                }
        }
    }

    /// The first indexes below `limit` that are not in it, at most `count`.
    func missing(below limit: Int64, _ count: Int64) -> [Int64] {
        var found: [Int64] = []
        var index: Int64 = 0
        var rest = ranges[...]
        while index < limit, Int64(found.count) < count {
            if let range = rest.first, range.lowerBound <= index {
                index = range.upperBound + 1
                rest.removeFirst()
            } else {
                found.append(index)
                index += 1
            }
        }
        return found
    }

    var text: String {
        ranges.map { range in
            switch range.upperBound - range.lowerBound {
            case 0: "\(range.lowerBound)"
            case 1: "\(range.lowerBound),\(range.upperBound)"
            default: "\(range.lowerBound)-\(range.upperBound)"
            }
        }.joined(separator: ",")
    }
}
