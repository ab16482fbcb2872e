package import Metrics
internal import Synchronization

/// What calls took and how they ended since the node began, by who called whom: counted as the ledger hears of them.
///
/// Invariants
/// 1. Every call is counted once, also beyond the bound on who is told apart. (test: `calls beyond the bound are counted together`)
package final class CallCounters: MetricSource, Sendable {
    /// Callers and functions that are told apart.
    package static let entryLimit = 2000
    /// What stands for the rest.
    package static let others = "(others)"

    private struct Key: Hashable {
        var function: String
        var source: String
        /// Of shifts alone: who answered.
        var answerer: String
    }

    fileprivate struct Entry {
        var labels: [MetricLabel]
        var outcomes = [Int](repeating: 0, count: Outcome.allCases.count)
        var starts = [Int](repeating: 0, count: MeteredCall.Start.allCases.count)
        var durations = DurationCounts()
        var queue = DurationCounts()
        var initialisations = DurationCounts()
        var cpuMicroseconds = 0
    }

    fileprivate enum Outcome: String, CaseIterable {
        case success, functionError = "function_error", timedOut = "timed_out", outOfMemory = "out_of_memory", refused, replayed

        init(_ outcome: MeteredCall.Outcome) {
            self =
                switch outcome {
                case .success: .success
                case .functionError: .functionError
                case .timedOut: .timedOut
                case .outOfMemory: .outOfMemory
                case .refused: .refused
                case .replayed: .replayed
                }
        }
    }

    private let entries = Mutex<[Key: Entry]>([:])
    private let limit: Int

    package init(limit: Int = entryLimit) { self.limit = limit }

    package func count(_ call: MeteredCall) {
        var key = Key(function: call.function, source: call.source, answerer: "")
        if Self.isShift(call.function) { key.answerer = call.version }
        entries.withLock { entries in
            if entries[key] == nil, entries.count >= limit { key = Key(function: Self.others, source: Self.others, answerer: "") }
            entries[key, default: Entry(labels: Self.labels(key, call))].add(call)
        }
    }

    private static func isShift(_ function: String) -> Bool { function.hasPrefix("shift:") }

    /// Door, source, rung and workload.
    private static func labels(_ key: Key, _ call: MeteredCall) -> [MetricLabel] {
        let words: (door: String, rung: String, workload: String)
        if key.function == others {
            words = (others, others, others)
        } else if isShift(key.function) {
            let rung = key.answerer == "original" ? "process" : key.answerer
            // A standby is a container that waits.
            words = ("exec", rung == "standby" ? "container" : rung, call.invokedARN)
        } else {
            words = (key.source == "ingress" ? "kubernetes" : key.source == "exec" ? "exec" : "lambda", "function", key.function)
        }
        return [
            MetricLabel("door", words.door), MetricLabel("source", key.source), MetricLabel("rung", words.rung),
            MetricLabel("workload", words.workload),
        ] + (key.answerer.isEmpty ? [] : [MetricLabel("shift", String(key.function.dropFirst("shift:".count)))])
    }

    package func metrics() async -> [MetricFamily] {
        let entries = entries.withLock { Array($0.values) }.sorted { $0.order.lexicographicallyPrecedes($1.order) }
        func each(_ values: (Entry) -> [(String, Int)], _ label: String) -> [MetricSample] {
            entries.flatMap { entry in
                values(entry).filter { $0.1 > 0 }.map {
                    MetricSample(entry.labels + [MetricLabel(label, $0.0)], .number(Double($0.1)))
                }
            }
        }
        func histograms(_ path: KeyPath<Entry, DurationCounts>) -> [MetricSample] {
            entries.filter { $0[keyPath: path].count > 0 }.map {
                MetricSample($0.labels, .histogram($0[keyPath: path].metric))
            }
        }
        return [
            MetricFamily(
                "forkless_calls_total", .counter, help: "Calls that ended, by how they ended.",
                each({ zip(Outcome.allCases.map(\.rawValue), $0.outcomes).map { ($0, $1) } }, "outcome")),
            MetricFamily(
                "forkless_call_starts_total", .counter, help: "Calls that an instance served, by how it came to be there.",
                each({ zip(MeteredCall.Start.allCases.map(\.rawValue), $0.starts).map { ($0, $1) } }, "start")),
            MetricFamily(
                "forkless_call_duration_seconds", .histogram, help: "How long calls ran, without waiting and initialisation.",
                histograms(\.durations)),
            MetricFamily(
                "forkless_call_queue_seconds", .histogram, help: "How long calls waited until an instance, or a target, had them.",
                histograms(\.queue)),
            MetricFamily(
                "forkless_cold_start_seconds", .histogram, help: "Initialisation of instances that calls waited for.",
                histograms(\.initialisations)),
            MetricFamily(
                "forkless_call_cpu_seconds_total", .counter, help: "Processor time of calls.",
                entries.map { MetricSample($0.labels, .number(Double($0.cpuMicroseconds) / 1e6)) }),
        ]
    }
}

extension CallCounters.Entry {
    fileprivate var order: [String] { labels.map(\.value) }

    fileprivate mutating func add(_ call: MeteredCall) {
        outcomes[CallCounters.Outcome.allCases.firstIndex(of: CallCounters.Outcome(call.outcome))!] += 1
        switch call.outcome {
        case .refused, .replayed: return
        case .success, .functionError, .timedOut, .outOfMemory: break
        }
        starts[MeteredCall.Start.allCases.firstIndex(of: call.start)!] += 1
        durations.add(microseconds: call.durationMicroseconds)
        queue.add(microseconds: call.queueMicroseconds)
        if let time = call.initMicroseconds { initialisations.add(microseconds: time) }
        cpuMicroseconds += max(0, call.cpuMicroseconds)
    }
}
