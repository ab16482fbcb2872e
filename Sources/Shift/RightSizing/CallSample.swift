internal import Linux
package import Metering
internal import Metrics

/// What is looked at of a call that has run.
package struct CallSample: Hashable, Sendable {
    /// Seconds since 1970: when an instance had it.
    package var start: Double
    package var seconds: Double
    /// Of the instance, where this call waited for it; 0 when it was ready.
    package var initSeconds: Double
    package var cpuSeconds: Double
    package var peakBytes: Int
    /// The size at which it ran.
    package var memoryMB: Int
    package var isCold: Bool
    package var isProvisioned: Bool
    package var isOutOfMemory: Bool
    package var isTimeout: Bool

    package init(
        start: Double, seconds: Double, initSeconds: Double = 0, cpuSeconds: Double, peakBytes: Int, memoryMB: Int, isCold: Bool = false,
        isProvisioned: Bool = false, isOutOfMemory: Bool = false, isTimeout: Bool = false
    ) {
        self.start = start
        self.seconds = seconds
        self.initSeconds = initSeconds
        self.cpuSeconds = cpuSeconds
        self.peakBytes = peakBytes
        self.memoryMB = memoryMB
        self.isCold = isCold
        self.isProvisioned = isProvisioned
        self.isOutOfMemory = isOutOfMemory
        self.isTimeout = isTimeout
    }

    /// nil for a call that no instance has served.
    package init?(_ call: MeteredCall) {
        guard call.outcome.hasRun else { return nil }
        self.init(
            start: Double(call.arrivedAt.nanoseconds) / 1e9 + Double(call.queueMicroseconds) / 1e6,
            seconds: Double(call.durationMicroseconds) / 1e6, initSeconds: Double(call.initMicroseconds ?? 0) / 1e6,
            cpuSeconds: Double(call.cpuMicroseconds) / 1e6, peakBytes: call.peakMemoryBytes, memoryMB: call.memoryMB,
            isCold: call.start == .cold || call.start == .zygote, isProvisioned: call.start == .provisioned,
            isOutOfMemory: call.outcome == .outOfMemory, isTimeout: call.outcome == .timedOut)
    }
}

/// Samples of one workload with what is asked of them often.
struct CallSamples {
    let all: [CallSample]
    /// From the first begin to the last end, seconds.
    let span: Double

    init(_ samples: [CallSample]) {
        all = samples.sorted { $0.start < $1.start }
        let end = samples.map { $0.start + $0.seconds }.max() ?? 0
        span = max(end - (all.first?.start ?? 0), 0)
    }

    var count: Int { all.count }

    /// What happens in 30 days, if it happens as often as here.
    ///
    /// A span of less than a minute says nothing about 30 days: it counts as one.
    var perMonth: Double { 30 * 86_400 / max(span, 60) }

    /// 0 without samples.
    static func percentile(_ percent: Int, of values: [Double]) -> Double { NearestRank.value(percent, of: values.sorted()) ?? 0 }
}
