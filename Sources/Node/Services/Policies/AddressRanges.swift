import Linux

/// Addresses of one kind as ranges that neither overlap nor touch. Pure.
///
/// Invariant: it holds exactly the addresses that were put in and not taken out afterwards.
/// (test: `ranges hold what was put in and not what was taken out`)
struct AddressRanges: Hashable, Sendable {
    struct Range: Hashable, Sendable {
        var first: IPAddress
        var last: IPAddress
    }

    private(set) var ranges: [Range] = []

    init() {}

    init(_ block: Subnet, except: [Subnet]) {
        ranges = [Self.range(of: block)]
        for hole in except where hole.isIPv6 == block.isIPv6 { remove(Self.range(of: hole)) }
    }

    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ address: IPAddress) -> Bool { ranges.contains { $0.first <= address && address <= $0.last } }

    mutating func formUnion(_ other: AddressRanges) {
        let sorted = (ranges + other.ranges).sorted { ($0.first, $0.last) < ($1.first, $1.last) }
        ranges = []
        for range in sorted {
            if let last = ranges.last, range.first <= last.last || range.first == last.last.advanced(by: 1) {
                ranges[ranges.count - 1].last = max(last.last, range.last)
            } else {
                ranges.append(range)
            }
        }
    }

    private mutating func remove(_ hole: Range) {
        ranges = ranges.flatMap { range -> [Range] in
            guard hole.first <= range.last, range.first <= hole.last else { return [range] }
            var left: [Range] = []
            if range.first < hole.first { left.append(Range(first: range.first, last: Self.before(hole.first))) }
            if hole.last < range.last { left.append(Range(first: hole.last.advanced(by: 1)!, last: range.last)) }
            return left
        }
    }

    static func range(of subnet: Subnet) -> Range {
        var last = subnet.base.bytes
        for index in last.indices {
            let kept = min(8, max(0, subnet.prefix - index * 8))
            last[index] |= UInt8(truncatingIfNeeded: 0xff >> kept)
        }
        return Range(first: subnet.base, last: IPAddress(bytes: last))
    }

    /// - Parameter address: not the first of all.
    private static func before(_ address: IPAddress) -> IPAddress {
        var bytes = address.bytes
        for index in bytes.indices.reversed() {
            bytes[index] &-= 1
            if bytes[index] != 0xff { break }
        }
        return IPAddress(bytes: bytes)
    }

    /// Elements of a set with intervals, nft(8).
    var elements: Set<String> {
        Set(ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" })
    }
}
