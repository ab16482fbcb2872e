internal import Metering

/// Shifts as Prometheus reads them, prometheus.io/docs/instrumenting/exposition_formats.
package enum ShiftMetrics {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Upper bounds of the histogram, microseconds.
    static let bounds = [
        250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
        60_000_000,
    ]

    package static func text(_ shifts: [ShiftState]) -> String {
        var text = ""
        family(
            &text, "forkless_shift_calls_total", "counter", "Calls of shifted programs that ended, by who ran them.",
            shifts
        ) { shift in
            tallies(shift).map { (labels(shift, ("by", $0)), "\($1.runs)") }
        }
        family(
            &text, "forkless_shift_failures_total", "counter",
            "Those that ended with a status other than 0 or by a signal.", shifts
        ) {
            shift in tallies(shift).map { (labels(shift, ("by", $0)), "\($1.failures)") }
        }
        family(&text, "forkless_shift_cpu_seconds_total", "counter", "Processor time of those calls.", shifts) {
            shift in
            tallies(shift).map { (labels(shift, ("by", $0)), seconds($1.cpuMicroseconds)) }
        }
        family(&text, "forkless_shift_peak_memory_bytes", "gauge", "The most memory that one of them had.", shifts) {
            shift in
            tallies(shift).map { (labels(shift, ("by", $0)), "\($1.peakBytes)") }
        }
        durations(&text, shifts)
        family(
            &text, "forkless_shift_comparisons_total", "counter", "Calls that were run by both and compared.", shifts
        ) { shift in
            [(labels(shift), "\(shift.compared)")]
        }
        family(&text, "forkless_shift_differences_total", "counter", "Comparisons that found a difference.", shifts) {
            shift in
            [(labels(shift), "\(shift.differing)")]
        }
        family(
            &text, "forkless_shift_detours_total", "counter",
            "Calls that the original answered because the target could not.", shifts
        ) {
            shift in [(labels(shift), "\(shift.detours)")]
        }
        family(&text, "forkless_shift_percent", "gauge", "Of a hundred calls, those that the target answers.", shifts) {
            shift in
            [(labels(shift, ("mode", shift.stage.mode.rawValue)), "\(shift.isActive ? shift.stage.percent : 0)")]
        }
        family(&text, "forkless_shift_active", "gauge", "1 while a shift is neither paused nor rolled back.", shifts) {
            shift in
            [(labels(shift), shift.isActive ? "1" : "0")]
        }
        return text
    }

    private static func tallies(_ shift: ShiftState) -> [(String, RunTally)] {
        [("original", shift.original), ("target", shift.target), ("shadow", shift.shadow)]
    }

    private static func family(
        _ text: inout String, _ name: String, _ type: String, _ help: String, _ shifts: [ShiftState],
        _ samples: (ShiftState) -> [(labels: String, value: String)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for shift in shifts { for sample in samples(shift) { text += "\(name){\(sample.labels)} \(sample.value)\n" } }
    }

    private static func durations(_ text: inout String, _ shifts: [ShiftState]) {
        let name = "forkless_shift_duration_seconds"
        text += "# HELP \(name) From the arrival of a call to its end, by who ran it.\n# TYPE \(name) histogram\n"
        for shift in shifts {
            for (by, tally) in tallies(shift) {
                let own = labels(shift, ("by", by))
                for (bound, count) in zip(bounds, tally.durations.counts(upTo: bounds)) {
                    text += "\(name)_bucket{\(own),le=\"\(seconds(bound))\"} \(count)\n"
                }
                text += "\(name)_bucket{\(own),le=\"+Inf\"} \(tally.runs)\n"
                text += "\(name)_sum{\(own)} \(seconds(tally.microseconds))\n\(name)_count{\(own)} \(tally.runs)\n"
            }
        }
    }

    private static func labels(_ shift: ShiftState, _ more: (String, String)...) -> String {
        ([("shift", shift.id), ("program", shift.spec.program)] + more).map { "\($0)=\"\(escaped($1))\"" }.joined(
            separator: ",")
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Microseconds as seconds, exactly.
    private static func seconds(_ microseconds: Int) -> String {
        let rest = microseconds % 1_000_000
        if rest == 0 { return "\(microseconds / 1_000_000)" }
        let digits = String("00000\(rest)".suffix(6)).reversed().drop { $0 == "0" }.reversed()
        return "\(microseconds / 1_000_000)." + String(digits)
    }
}
