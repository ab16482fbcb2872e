internal import Metering
package import Metrics

/// Shifts in numbers.
package struct ShiftMetrics: MetricSource {
    /// Upper bounds of the histogram, microseconds.
    static let bounds = [
        250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
        60_000_000,
    ]

    private let shifts: @Sendable () -> [ShiftState]

    /// - Parameter shifts: as they are now.
    package init(_ shifts: @escaping @Sendable () -> [ShiftState]) { self.shifts = shifts }

    package func metrics() async -> [MetricFamily] { Self.families(shifts()) }

    package static func families(_ shifts: [ShiftState]) -> [MetricFamily] {
        tallies(shifts) + [
            family("comparisons_total", .counter, "Calls that were run by both and compared.", shifts) {
                [sample($0, $0.compared)]
            },
            family("differences_total", .counter, "Comparisons that found a difference.", shifts) {
                [sample($0, $0.differing)]
            },
            family("detours_total", .counter, "Calls that the original answered because the target could not.", shifts) {
                [sample($0, $0.detours)]
            },
            family("percent", .gauge, "Of a hundred calls, those that the target answers.", shifts) {
                [sample($0, $0.isActive ? $0.stage.percent : 0, ("mode", $0.stage.mode.rawValue))]
            },
            family("active", .gauge, "1 while a shift is neither paused nor rolled back.", shifts) {
                [sample($0, $0.isActive ? 1 : 0)]
            },
        ]
    }

    private static func tallies(_ shifts: [ShiftState]) -> [MetricFamily] {
        func each(_ value: @escaping (RunTally) -> MetricSample.Value) -> (ShiftState) -> [MetricSample] {
            { shift in
                [("original", shift.original), ("target", shift.target), ("shadow", shift.shadow)].map {
                    MetricSample(labels(shift, ("by", $0)), value($1))
                }
            }
        }
        return [
            family(
                "calls_total", .counter, "Calls of shifted programs that ended, by who ran them.", shifts,
                each { .number(Double($0.runs)) }),
            family(
                "failures_total", .counter, "Those that ended with a status other than 0 or by a signal.", shifts,
                each { .number(Double($0.failures)) }),
            family(
                "cpu_seconds_total", .counter, "Processor time of those calls.", shifts,
                each { .number(Double($0.cpuMicroseconds) / 1e6) }),
            family(
                "peak_memory_bytes", .gauge, "The most memory that one of them had.", shifts,
                each { .number(Double($0.peakBytes)) }),
            family(
                "duration_seconds", .histogram, "From the arrival of a call to its end, by who ran it.", shifts,
                each { .histogram(histogram($0)) }),
        ]
    }

    private static func histogram(_ tally: RunTally) -> MetricHistogram {
        MetricHistogram(
            buckets: zip(bounds, tally.durations.counts(upTo: bounds)).map { .init(upTo: Double($0) / 1e6, UInt64($1)) },
            sum: Double(tally.microseconds) / 1e6, count: UInt64(tally.runs))
    }

    private static func family(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ shifts: [ShiftState],
        _ samples: (ShiftState) -> [MetricSample]
    ) -> MetricFamily {
        MetricFamily("forkless_shift_" + name, kind, help: help, shifts.flatMap(samples))
    }

    private static func sample(_ shift: ShiftState, _ value: Int, _ more: (String, String)...) -> MetricSample {
        MetricSample(labels(shift) + more.map { MetricLabel($0, $1) }, .number(Double(value)))
    }

    private static func labels(_ shift: ShiftState, _ more: (String, String)...) -> [MetricLabel] {
        ([("shift", shift.id), ("program", shift.spec.program)] + more).map { MetricLabel($0, $1) }
    }
}
