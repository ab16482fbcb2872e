package import JSON

/// The machine on which a comparison ran, as far as it bears on the figures. Empty texts: the machine does not tell.
package struct MachineStatement: ReportObject {
    package var host = ""
    /// "Debian GNU/Linux 12 (bookworm)"
    package var system = ""
    package var kernel = ""
    /// The processor's own name.
    package var processor = ""
    /// Processors that this run may use.
    package var processors = 0
    package var memoryBytes = 0
    /// Free for new programs when the run began, bytes (MemAvailable).
    package var availableBytes = 0
    package var swapBytes = 0
    /// "v2", "v1" or "v1 and v2 (hybrid)".
    package var cgroups = ""
    /// "none", "kvm", "a container (docker)", ...
    package var virtualisation = ""
    /// How the clock speed is governed: "performance"; "" in most virtual machines.
    package var governor = ""
    /// Transparent huge pages, which shorten the page tables that fork copies: "madvise".
    package var hugePages = ""

    package init() {}

    package var json: JSONValue {
        [
            "host": host.json, "system": system.json, "kernel": kernel.json, "processor": processor.json,
            "processors": processors.json, "memoryBytes": memoryBytes.json, "availableBytes": availableBytes.json,
            "swapBytes": swapBytes.json, "cgroups": cgroups.json, "virtualisation": virtualisation.json,
            "governor": governor.json, "hugePages": hugePages.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        host = try reader.required("host")
        system = try reader.required("system")
        kernel = try reader.required("kernel")
        processor = try reader.required("processor")
        processors = try reader.required("processors")
        memoryBytes = try reader.required("memoryBytes")
        availableBytes = try reader.required("availableBytes")
        swapBytes = try reader.required("swapBytes")
        cgroups = try reader.required("cgroups")
        virtualisation = try reader.required("virtualisation")
        governor = try reader.required("governor")
        hugePages = try reader.required("hugePages")
    }
}

/// How quiet the machine was while it was measured.
package struct NoiseStatement: ReportObject {
    package enum Verdict: String, Hashable, Sendable, CaseIterable {
        case quiet, unsteady, noisy
    }

    package var verdict = Verdict.quiet
    /// Why it is not quiet, each in a sentence; empty when it is.
    package var reasons: [String] = []
    /// The part of processor time that the hypervisor gave to others, 0 to 1, over the whole run.
    package var stealFraction: Quantity<Share> = .unavailable(RungReport.notMeasured)
    /// The one-minute load average before the run began and after it.
    package var loadBefore = 0.0
    package var loadAfter = 0.0
    /// The part of processor time that other programs took while nothing was measured, 0 to 1.
    package var othersFraction: Quantity<Share> = .unavailable(RungReport.notMeasured)
    /// How long the same loop of arithmetic took, each time that it ran between measurements, nanoseconds.
    package var calibrationNanoseconds: [Int] = []
    /// Of these: standard deviation divided by mean.
    package var coefficientOfVariation = 0.0

    package init() {}

    package var json: JSONValue {
        [
            "verdict": verdict.rawValue.json, "reasons": reasons.json, "stealFraction": stealFraction.json,
            "loadBefore": loadBefore.json, "loadAfter": loadAfter.json, "othersFraction": othersFraction.json,
            "calibrationNanoseconds": calibrationNanoseconds.json,
            "coefficientOfVariation": coefficientOfVariation.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        verdict = try reader.word("verdict")
        reasons = try reader.list("reasons")
        stealFraction = try reader.value("stealFraction")
        loadBefore = try reader.required("loadBefore")
        loadAfter = try reader.required("loadAfter")
        othersFraction = try reader.value("othersFraction")
        calibrationNanoseconds = try reader.list("calibrationNanoseconds")
        coefficientOfVariation = try reader.required("coefficientOfVariation")
    }
}

/// A part of a whole, 0 to 1.
package struct Share: ReportValue {
    package var fraction: Double

    package init(_ fraction: Double) { self.fraction = min(max(fraction, 0), 1) }

    package var json: JSONValue { fraction.json }

    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        guard let value = Double(json: json), (0...1).contains(value) else {
            throw JSONShapeError(path: path, problem: "expected a number from 0 to 1")
        }
        fraction = value
    }
}

/// What measuring itself costs, found with calls that do nothing.
package struct DriverStatement: ReportObject {
    /// Processor time of the driver for one such call, microseconds.
    package var cpuPerCall: Quantity<Estimate> = .unavailable(RungReport.notMeasured)
    /// How long after its intended arrival such a call began and ended: what every latency under load contains.
    package var delay: Quantity<LatencySummary> = .unavailable(RungReport.notMeasured)

    package init() {}

    package var json: JSONValue { ["cpuMicrosecondsPerCall": cpuPerCall.json, "delay": delay.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        cpuPerCall = try reader.value("cpuMicrosecondsPerCall")
        delay = try reader.value("delay")
    }
}
