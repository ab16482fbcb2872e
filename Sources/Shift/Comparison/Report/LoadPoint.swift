package import JSON

/// How long something took, over all repetitions.
package struct LatencySummary: ReportObject {
    /// Every sample of every repetition.
    package var histogram: LatencyHistogram
    /// Nanoseconds: the percentile of each repetition, and what they give together.
    package var p50: Estimate
    package var p90: Estimate
    package var p99: Estimate
    package var p999: Estimate

    package init(histogram: LatencyHistogram, p50: Estimate, p90: Estimate, p99: Estimate, p999: Estimate) {
        self.histogram = histogram
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        self.p999 = p999
    }

    /// The percentiles with their names, in order.
    package var percentiles: [(percentile: Double, estimate: Estimate)] {
        [(50, p50), (90, p90), (99, p99), (99.9, p999)]
    }

    /// What has to be known before a percentile is believed: it stands on too few samples. nil: nothing.
    package func caveat(percentile: Double) -> String? {
        let needed = LatencyHistogram.samplesNeeded(forPercentile: percentile)
        guard histogram.count < needed else { return nil }
        let samples = histogram.count == 1 ? "the only sample" : "the largest of \(histogram.count) samples"
        let name = percentile == percentile.rounded() ? "\(Int(percentile))" : "\(percentile)"
        return "p\(name) is \(samples): \(needed) are needed to tell"
    }

    package var json: JSONValue {
        [
            "p50": p50.json, "p90": p90.json, "p99": p99.json, "p999": p999.json, "histogram": histogram.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        histogram = try reader.value("histogram")
        p50 = try reader.value("p50")
        p90 = try reader.value("p90")
        p99 = try reader.value("p99")
        p999 = try reader.value("p999")
    }
}

/// What a rung did under one offered load: arrivals came on a schedule, whether or not the calls before had ended.
package struct LoadPoint: ReportObject {
    /// Calls that arrived in a second, by the schedule.
    package var offeredPerSecond: Double
    /// Calls that ended well in a second, until the last one had ended.
    package var achievedPerSecond: Double
    /// From the intended arrival until the result was complete, nanoseconds: waiting for a busy rung is in it.
    package var latency: LatencyHistogram
    package var calls: Int
    package var failures: FailureTally
    /// Calls that had arrived and not ended, when the last one arrived.
    package var backlogAtEnd: Int
    /// Why the rate is more than the rung takes; empty while it keeps up. By the rule that the knee states.
    package var saturation: String
    /// How late the driver itself began calls, nanoseconds, 99th percentile: its part in the latency.
    package var driverDelayNanoseconds: Int

    package init(
        offeredPerSecond: Double, achievedPerSecond: Double, latency: LatencyHistogram, calls: Int,
        failures: FailureTally,
        backlogAtEnd: Int, saturation: String = "", driverDelayNanoseconds: Int
    ) {
        self.offeredPerSecond = offeredPerSecond
        self.achievedPerSecond = achievedPerSecond
        self.latency = latency
        self.calls = calls
        self.failures = failures
        self.backlogAtEnd = backlogAtEnd
        self.saturation = saturation
        self.driverDelayNanoseconds = driverDelayNanoseconds
    }

    /// Failures that are faults, in the order of their declaration, with their numbers. Where the rate is more than the
    /// rung takes, calls that did not end in time waited for others: that is no fault of the program.
    package var faults: [(kind: FailureKind, count: Int)] {
        failures.kinds.filter { saturation.isEmpty || $0.kind != .hang }
    }

    package var json: JSONValue {
        [
            "offeredPerSecond": offeredPerSecond.json, "achievedPerSecond": achievedPerSecond.json, "calls": calls.json,
            "failures": failures.json, "backlogAtEnd": backlogAtEnd.json, "saturation": saturation.json,
            "driverDelayNanoseconds": driverDelayNanoseconds.json, "latency": latency.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        offeredPerSecond = try reader.required("offeredPerSecond")
        achievedPerSecond = try reader.required("achievedPerSecond")
        calls = try reader.required("calls")
        failures = try reader.value("failures")
        backlogAtEnd = try reader.required("backlogAtEnd")
        saturation = try reader.required("saturation")
        driverDelayNanoseconds = try reader.required("driverDelayNanoseconds")
        latency = try reader.value("latency")
    }
}

/// The highest rate that a rung keeps up with.
package struct Knee: ReportObject {
    /// The highest offered rate that was kept up with, calls in a second.
    package var perSecond: Double
    /// The lowest rate that was offered and not kept up with; nil: the search ended before one was found, so that the knee is
    /// at least this.
    package var saturatedPerSecond: Double?
    /// How the rate was judged, in words with numbers.
    package var rule: String

    package init(perSecond: Double, saturatedPerSecond: Double?, rule: String) {
        self.perSecond = perSecond
        self.saturatedPerSecond = saturatedPerSecond
        self.rule = rule
    }

    package var json: JSONValue {
        var object: JSONObject = ["perSecond": perSecond.json]
        if let saturatedPerSecond { object["saturatedPerSecond"] = saturatedPerSecond.json }
        object["rule"] = rule.json
        return .object(object)
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        perSecond = try reader.required("perSecond")
        saturatedPerSecond = try reader.optional("saturatedPerSecond")
        rule = try reader.required("rule")
    }
}
