/// A set of small numbers as the kernel writes CPUs and memory nodes: "0-3,7", cpuset(7) "List format".
///
/// Kept as ranges: "0-4000000000" must not cost four billion entries before it is refused.
package struct IndexList: Hashable, Sendable, CustomStringConvertible {
    /// Ascending, with gaps between.
    package let ranges: [ClosedRange<Int>]

    /// The set that `text` writes; nil when it is none, is empty, or a range runs backwards.
    package init?(_ text: String) {
        var read: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = Self.number(ends[0]), let last = Self.number(ends[ends.count - 1]),
                first <= last
            else { return nil }
            read.append(first...last)
        }
        read.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<Int>] = []
        for range in read {
            if let previous = merged.last, range.lowerBound <= previous.upperBound + 1 {
                merged[merged.count - 1] = previous.lowerBound...max(previous.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
    }

    /// How many numbers it has.
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// The first number of this list that `other` lacks.
    package func firstMissing(from other: IndexList) -> Int? {
        for range in ranges {
            var next = range.lowerBound
            for have in other.ranges where have.contains(next) { next = have.upperBound + 1 }
            if next <= range.upperBound { return next }
        }
        return nil
    }

    /// As the kernel writes it.
    package var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    /// Digits only (Int() would take "+1"), and few enough that sums of them fit.
    private static func number(_ text: Substring) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
