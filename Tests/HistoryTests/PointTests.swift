import Linux
import Metrics
import TestKit
import Testing

@testable import History

@Suite struct PointTests {
    @Test func `points reduce the same in any order`() {
        var chance = SeededChance(seed: 7)
        let points = (0..<200).map { _ in
            SlotPoint(Double(Int.random(in: -1000...1000, using: &chance)), weight: UInt32.random(in: 1...5, using: &chance))
        }
        let whole = points.dropFirst().reduce(points[0]) { $0.merged(with: $1) }
        for _ in 0..<20 {
            let shuffled = points.shuffled(using: &chance)
            let cut = Int.random(in: 1..<200, using: &chance)
            let left = shuffled[1..<cut].reduce(shuffled[0]) { $0.merged(with: $1) }
            let right = shuffled[(cut + 1)...].reduce(shuffled[cut]) { $0.merged(with: $1) }
            let other = left.merged(with: right)
            #expect((other.minimum, other.maximum) == (whole.minimum, whole.maximum))
            #expect(other.weight == whole.weight)
            #expect(abs(other.mean - whole.mean) < 0.01)
        }
    }

    @Test func `points are read as they were written`() {
        var chance = SeededChance(seed: 11)
        for _ in 0..<200 {
            let points: [SlotPoint?] = (0..<60).map { _ in
                switch Int.random(in: 0..<5, using: &chance) {
                case 0: nil
                case 1: SlotPoint(0)
                case 2: SlotPoint(-0.0, weight: 60)
                case 3: SlotPoint(Double.random(in: -1e9...1e9, using: &chance), weight: .random(in: 0 ... .max, using: &chance))
                default: SlotPoint(minimum: -1, mean: 2.5, maximum: .infinity, weight: 3)
                }
            }
            var bytes: [UInt8] = []
            PointCoding.write(points, to: &bytes)
            var read = [SlotPoint?](repeating: nil, count: 60)
            var reader = PointCoding.Reader(bytes)
            #expect(reader.runs(of: 60) { range, point in for slot in range { read[slot] = point } })
            #expect(reader.isAtEnd)
            #expect(read == points)
        }
    }

    @Test func `what does not change takes next to nothing`() {
        var bytes: [UInt8] = []
        PointCoding.write([SlotPoint?](repeating: SlotPoint(12.5), count: 60), to: &bytes)
        #expect(bytes.count == 7)
    }

    @Test func `damaged bytes are no points`() {
        var chance = SeededChance(seed: 3)
        let good = PointBlock(at: 0, slots: 10, points: [3: Array(repeating: SlotPoint(7), count: 10), 900: Array(repeating: nil, count: 10)])
            .bytes
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<4, using: &chance) {
                bytes[Int.random(in: bytes.indices, using: &chance)] = .random(in: 0...255, using: &chance)
            }
            if Bool.random(using: &chance) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &chance)) }
            _ = PointBlock.read(bytes, slots: 10, of: nil) { _, range, _ in #expect((0...10).contains(range.upperBound)) }
        }
        #expect(!PointBlock.read([5], slots: 10, of: nil) { _, _, _ in })
        #expect(!PointBlock.read([1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], slots: 10, of: nil) { _, _, _ in })
    }
}

@Suite struct HistoryQueryTests {
    private func query(_ from: Int, _ to: Int, _ points: Int, now: Int) -> HistoryQuery? {
        func time(_ seconds: Int) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }
        return HistoryQuery(from: time(from), to: time(to), points: points, now: time(now))
    }

    @Test func `the tier is the one that has the time, and no finer than needed`() {
        let now = 1_800_000_000
        #expect(query(now - 300, now, 300, now: now)?.tier == .seconds)
        #expect(query(now - 3600, now, 3600, now: now)?.tier == .seconds)
        #expect(query(now - 3600, now, 60, now: now)?.tier == .minutes)
        #expect(query(now - 86_400, now, 10_000, now: now)?.tier == .minutes)
        #expect(query(now - 86_400, now, 24, now: now)?.tier == .hours)
        #expect(query(now - 30 * 86_400, now, 10_000, now: now)?.tier == .hours)
        #expect(query(now - 900 * 86_400, now, 10_000, now: now)?.tier == .hours)
        #expect(query(now, now, 10, now: now) == nil)
        #expect(query(now - 10, now, 0, now: now) == nil)
    }

    @Test func `there are never more points than asked for`() {
        var chance = SeededChance(seed: 5)
        let now = 1_800_000_000
        for _ in 0..<2000 {
            let from = now - Int.random(in: 1...40_000_000, using: &chance)
            let points = Int.random(in: 1...2000, using: &chance)
            let query = query(from, from + Int.random(in: 1...40_000_000, using: &chance), points, now: now)!
            #expect((query.end - query.start + query.step - 1) / query.step <= points)
            #expect(query.start <= from && query.step % query.tier.resolution == 0)
        }
    }
}

@Suite struct HistorySpaceTests {
    /// Bytes of one series in all tiers, with what a row takes beside its points.
    private func bytes(_ point: (Int) -> SlotPoint, rowBytes: Int = 30) -> (seconds: Int, minutes: Int, hours: Int) {
        func size(_ slots: Int) -> Int {
            var bytes: [UInt8] = []
            PointCoding.write((0..<slots).map { Optional(point($0)) }, to: &bytes)
            return bytes.count
        }
        func chunks(_ tier: Tier) -> Int { (tier.kept / tier.groupSpan + 2) * (size(tier.chunkSlots!) + rowBytes) }
        // A block is a row of all series.
        let blocks = (Tier.seconds.kept + 2 * Tier.seconds.groupSpan) / SecondBlock.seconds
        return (blocks * (size(SecondBlock.seconds) + 1), chunks(.minutes), chunks(.hours))
    }

    @Test func `a series takes what docs slash metrics says`() {
        let seconds = bytes { SlotPoint(Double($0) + 0.5) }.seconds
        let long = bytes { SlotPoint(minimum: Float($0), mean: Float($0) + 0.5, maximum: Float($0) + 2, weight: $0 < 60 ? 60 : 3600) }
        #expect(seconds / 1000 == 22)
        #expect(long.minutes / 1000 == 147)
        #expect(long.hours / 1000 == 134)
        let still = bytes { _ in SlotPoint(12.5) }
        #expect((still.seconds + still.minutes + still.hours) / 1000 <= 11)
    }
}
