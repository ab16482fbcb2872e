import ArgumentParser
import ExecDoor

/// How a program is shifted. The node checks what it means; here it is put into words.
struct ShiftFlags: ParsableArguments {
    @Option(
        name: .customLong("to"),
        help: ArgumentHelp(
            "Where calls go: container, container=IMAGE, standby, function=NAME or service=URL.", valueName: "rung"))
    var target: String?

    @Option(
        name: .customLong("mode"),
        help: ArgumentHelp(
            "measure: run the original and record. shadow: run both, answer with the original, compare. canary: answer --percent of "
                + "the calls from the new rung. full: all of them.", valueName: "mode"))
    var mode = Mode.measure

    enum Mode: String, ExpressibleByArgument, CaseIterable { case measure, shadow, canary, full }

    @Option(
        name: .customLong("percent"),
        help: ArgumentHelp("Of a hundred calls, those that a canary answers: 1 to 99.", valueName: "n"))
    var percent: Int?

    @Option(
        name: .customLong("compare"),
        help: ArgumentHelp(
            "While a canary answers some calls: of a hundred of the others, those that are run by both and compared.",
            valueName: "n"))
    var compare: Int?

    @Option(
        name: .customLong("control"),
        help: ArgumentHelp(
            "Of a hundred comparisons, those in which the original is run twice instead, to learn what differs by itself. Only for "
                + "programs that may be run twice.", valueName: "n"))
    var control: Int?

    @Option(
        name: .customLong("payload"),
        help: ArgumentHelp(
            "How a function or a service gets a call: plain (standard input, the words beside it) or wrapped (a JSON object).",
            valueName: "form"))
    var payload = Payload.plain

    enum Payload: String, ExpressibleByArgument, CaseIterable { case plain, wrapped }

    @Flag(
        name: .customLong("drop-descriptors"),
        help: "Shift calls, too, that inherit descriptors beyond the standard streams; the target does not get them.")
    var dropsDescriptors = false

    @Option(
        name: .customLong("allow"),
        help: ArgumentHelp(
            "What may differ, can be repeated: times, identifiers, regex=PATTERN, json=PATH, unordered, numbers=1e-9, each perhaps "
                + "behind stdout:, stderr: or file=NAME:; or exit, stdout, stderr, file=NAME as a whole.",
            valueName: "rule"))
    var allow: [String] = []

    @Option(
        name: .customLong("output-file"),
        help: ArgumentHelp("A file that calls write, compared as well; can be repeated.", valueName: "path"))
    var outputFiles: [String] = []

    @Option(
        name: .customLong("limit-differences"),
        help: ArgumentHelp("Calls with differences before the original takes over again.", valueName: "number|n%|none"))
    var differences: String?

    @Option(
        name: .customLong("limit-errors"),
        help: ArgumentHelp(
            "Percentage points by which more calls may fail than with the original.", valueName: "n%|none"))
    var errors: String?

    @Option(
        name: .customLong("limit-latency"),
        help: ArgumentHelp(
            "The target's 95th percentile: of the original's (150%), or by itself (20ms).", valueName: "n%|nms|none"))
    var latency: String?

    @Option(
        name: .customLong("limit-minimum"),
        help: ArgumentHelp("Calls before rates and percentiles say anything; 20 by default.", valueName: "number"))
    var minimum: Int?

    @Option(
        name: .customLong("promote"),
        help: ArgumentHelp(
            "Go further by itself, each step after so many calls within the limits: shadow:200,canary=10:500,full.",
            valueName: "step,..."))
    var promote: String?

    /// As the node reads it.
    func spec(_ program: String) throws -> ShiftSpec {
        guard let stage = ShiftStage(ShiftMode(rawValue: mode.rawValue)!, percent: percent) else {
            throw FlagError(
                "--percent", percent.map(String.init),
                mode == .canary
                    ? "a canary needs a percentage from 1 to 99"
                    : "only a canary has a percentage, not \(mode.rawValue)")
        }
        let steps = try promote.map { text in
            try word("--promote", text) { try text.split(separator: ",").map { try PromotionStep(String($0)) } }
        }
        return ShiftSpec(
            program: program, target: try target.map { text in try word("--to", text) { try ShiftTarget(text) } },
            stage: stage,
            comparePercent: try percent("--compare", compare), controlPercent: try percent("--control", control),
            payload: PayloadForm(rawValue: payload.rawValue)!, dropsDescriptors: dropsDescriptors,
            allowed: try allow.map { text in try word("--allow", text) { try DifferenceRule(text) } },
            outputFiles: outputFiles,
            limits: try limits(isAtStake: mode == .canary || mode == .full || steps != nil), promotion: steps)
    }

    private func word<Value>(_ flag: String, _ text: String, _ read: () throws -> Value) throws -> Value {
        do { return try read() } catch let problem as ShiftProblem {
            throw FlagError(flag, nil, problem.description)
        } catch let problem as RuleProblem { throw FlagError(flag, nil, problem.description) }
    }

    private func percent(_ flag: String, _ value: Int?) throws(FlagError) -> Int {
        guard let value else { return 0 }
        guard (0...100).contains(value) else { throw FlagError(flag, "\(value)", "not from 0 to 100") }
        return value
    }

    /// Where callers depend on the target, the first difference and five points more errors are too much unless told otherwise.
    private func limits(isAtStake: Bool) throws(FlagError) -> ShiftLimits {
        var limits = ShiftLimits()
        if isAtStake { (limits.differences, limits.errorPercent) = (0, 5) }
        if let minimum {
            guard (1...100_000).contains(minimum) else {
                throw FlagError("--limit-minimum", "\(minimum)", "not from 1 to 100000")
            }
            limits.minimum = minimum
        }
        switch differences {
        case nil: break
        case "none"?: limits.differences = nil
        case let text? where text.hasSuffix("%"):
            (limits.differences, limits.differencePercent) = (nil, try number("--limit-differences", text, "%"))
        case let text?:
            guard let count = Int(text), count >= 0 else {
                throw FlagError("--limit-differences", text, "neither a number, a percentage nor none")
            }
            limits.differences = count
        }
        if let errors { limits.errorPercent = errors == "none" ? nil : try number("--limit-errors", errors, "%") }
        switch latency {
        case nil, "none"?: break
        case let text? where text.hasSuffix("ms"):
            limits.latencyMilliseconds = try number("--limit-latency", text, "ms")
        case let text?: limits.latencyPercent = try number("--limit-latency", text, "%")
        }
        return limits
    }

    private func number(_ flag: String, _ text: String, _ unit: String) throws(FlagError) -> Double {
        guard text.hasSuffix(unit), let value = Double(text.dropLast(unit.count)), value >= 0, value.isFinite else {
            throw FlagError(flag, text, "not a number with \(unit) behind it")
        }
        return value
    }
}
