/// Points as bytes: runs of equal ones, so that what does not change takes next to nothing.
///
/// A run is a number (its length times four, plus its form) and what the form needs: nothing was measured (0), zero (1), one
/// value (2), or minimum, mean and maximum (3); then the weight. Numbers are little-endian base 128, values are 32-bit floats.
///
/// Invariants
/// 1. What was written is read back bit for bit; bytes that are no points are nil and never trap.
///    (tests: `points are read as they were written`, `damaged bytes are no points`)
enum PointCoding {
    private enum Form: UInt64 { case none, zero, value, range }

    static func write(_ points: some Collection<SlotPoint?>, to bytes: inout [UInt8]) {
        var index = points.startIndex
        while index != points.endIndex {
            let point = points[index]
            var count: UInt64 = 0
            while index != points.endIndex, points[index] == point {
                count += 1
                points.formIndex(after: &index)
            }
            write(run: count, of: point, to: &bytes)
        }
    }

    private static func write(run count: UInt64, of point: SlotPoint?, to bytes: inout [UInt8]) {
        guard let point else { return write(count << 2 | Form.none.rawValue, to: &bytes) }
        if !point.isOneValue {
            write(count << 2 | Form.range.rawValue, to: &bytes)
            for value in [point.minimum, point.mean, point.maximum] { write(value, to: &bytes) }
        } else if point.mean.bitPattern == 0 {
            write(count << 2 | Form.zero.rawValue, to: &bytes)
        } else {
            write(count << 2 | Form.value.rawValue, to: &bytes)
            write(point.mean, to: &bytes)
        }
        write(UInt64(point.weight), to: &bytes)
    }

    static func write(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func write(_ value: Float, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Bytes that are read from the front.
    struct Reader {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func number() -> UInt64? {
            var (result, shift): (UInt64, UInt64) = (0, 0)
            while position < bytes.count, shift < 63 {
                let byte = bytes[position]
                position += 1
                result |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return result }
                shift += 7
            }
            return nil
        }

        private mutating func value() -> Float? {
            guard position + 4 <= bytes.count else { return nil }
            var pattern: UInt32 = 0
            for index in 0..<4 { pattern |= UInt32(bytes[position + index]) << UInt32(8 * index) }
            position += 4
            return Float(bitPattern: pattern)
        }

        /// Calls with each run of so many slots; false when the bytes are none.
        mutating func runs(of slots: Int, _ take: (Range<Int>, SlotPoint) -> Void) -> Bool {
            var slot = 0
            while slot < slots {
                guard let head = number(), let form = Form(rawValue: head & 3), head >> 2 > 0, head >> 2 <= UInt64(slots - slot)
                else { return false }
                let end = slot + Int(head >> 2)
                var point: SlotPoint?
                switch form {
                case .none: break
                case .zero: point = SlotPoint(0)
                case .value:
                    guard let value = value() else { return false }
                    point = SlotPoint(minimum: value, mean: value, maximum: value, weight: 0)
                case .range:
                    guard let low = value(), let mean = value(), let high = value() else { return false }
                    point = SlotPoint(minimum: low, mean: mean, maximum: high, weight: 0)
                }
                if var point {
                    guard let weight = number(), let weight = UInt32(exactly: weight) else { return false }
                    point.weight = weight
                    take(slot..<end, point)
                }
                slot = end
            }
            return true
        }
    }
}
