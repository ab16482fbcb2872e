import CKernel

/// Readings of the kernel's clocks, clock_gettime(2).
public enum Clock {
    /// Nanoseconds of CLOCK_MONOTONIC: for durations.
    public static func monotonicNanoseconds() -> Int { ck_clock_nanoseconds(CLOCK_MONOTONIC) }

    /// A time of day, nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME).
    public static func now() -> Timestamp { Timestamp(nanoseconds: ck_clock_nanoseconds(CLOCK_REALTIME)) }

    /// Lets this thread sleep, or shorter when a signal arrives. Never on Swift's cooperative pool.
    package static func pauseBlocking(milliseconds: Int32) { _ = ck_poll(nil, 0, milliseconds) }
}

/// A point in time, in nanoseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var nanoseconds: Int

    public init(nanoseconds: Int) { self.nanoseconds = nanoseconds }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

    /// RFC 3339 with nine decimals, in UTC: "2026-11-23T06:47:29.123456789Z".
    public var description: String { String(decoding: utf8, as: UTF8.self) }

    /// The same as bytes, without a detour through String: the keeper stamps every log line with it.
    package var utf8: [UInt8] {
        // Rounded down, also before 1970: a file may carry such a date.
        let fraction = (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000
        let seconds = (nanoseconds / 1_000_000_000) - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
        let rest = (seconds % 86_400 + 86_400) % 86_400
        let (year, month, day) = Self.civil(daysSince1970: (seconds - rest) / 86_400)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(30)
        Self.append(year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        Self.append(rest / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(rest / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(rest % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(fraction, digits: 9, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
        return bytes
    }

    private static func append(_ value: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    /// Howard Hinnant's days-to-civil, "chrono-Compatible Low-Level Date Algorithms".
    private static func civil(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
