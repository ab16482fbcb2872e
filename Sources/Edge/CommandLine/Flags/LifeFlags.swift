import ArgumentParser
import Engine
import OCI

/// The flags of `run` and `create` that say how a container is looked after. The names are Docker's.
struct LifeFlags: ParsableArguments {
    @Option(
        name: .customLong("restart"),
        help: ArgumentHelp(
            "When to start it again: no, on-failure[:MAX], always, unless-stopped (default: no).", valueName: "policy"))
    var restart: String?

    @Option(name: .customLong("health-cmd"), help: ArgumentHelp("A line for its shell that tells its health.", valueName: "line"))
    var healthCommand: String?

    @Option(name: .customLong("health-interval"), help: ArgumentHelp("Between two checks (default: 30s).", valueName: "30s"))
    var healthInterval: String?

    @Option(name: .customLong("health-timeout"), help: ArgumentHelp("The most that one may take (default: 30s).", valueName: "30s"))
    var healthTimeout: String?

    @Option(
        name: .customLong("health-start-period"),
        help: ArgumentHelp("How long failures do not count at first (default: 0s).", valueName: "0s"))
    var healthStartPeriod: String?

    @Option(
        name: .customLong("health-start-interval"),
        help: ArgumentHelp("Between two checks in that time (default: 5s).", valueName: "5s"))
    var healthStartInterval: String?

    @Option(
        name: .customLong("health-retries"),
        help: ArgumentHelp("Failures in a row that make it unhealthy (default: 3).", valueName: "number"))
    var healthRetries: String?

    @Flag(name: .customLong("no-healthcheck"), help: "Do not run the check of its image.")
    var hasNoHealthcheck = false

    @Option(name: .customLong("label-file"), help: ArgumentHelp("Labels, one a line.", valueName: "file"))
    var labelFiles: [String] = []

    @Option(name: .customLong("cidfile"), help: ArgumentHelp("Write the container's id to this new file.", valueName: "file"))
    var idFile: String?

    @Option(
        name: .customLong("log-opt"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("max-size=16m: rotate the log after so much; max-file=2: with one older file.", valueName: "key=value"))
    var logOptions: [String] = []

    /// Writes what the flags say into a spec.
    ///
    /// - Throws: `FlagError` for the first flag that cannot be used; nothing was done then.
    func write(to spec: inout ContainerSpec, in place: FlagSurroundings) throws(FlagError) {
        if let restart { spec.restart = try RestartFlag.parse(restart) }
        if spec.removesOnExit, spec.restart != .no {
            throw FlagError("--restart", restart, "conflicting options: cannot specify both --restart and --rm")
        }
        spec.healthcheck = try healthcheck()
        if let bytes = try LogOptionFlags.bytes(logOptions) { spec.logBytes = bytes }
        var labels: [String: String] = [:]
        for path in labelFiles {
            let text: String
            do { text = try place.readFile(path) } catch { throw FlagError("--label-file", path, "\(error)") }
            labels.merge(try LabelFlags.labels(file: text, path: path)) { $1 }
        }
        spec.labels = labels.merging(spec.labels) { $1 }
    }

    private func healthcheck() throws(FlagError) -> Healthcheck? {
        let others = [healthCommand, healthInterval, healthTimeout, healthStartPeriod, healthStartInterval, healthRetries]
        if hasNoHealthcheck {
            guard others.allSatisfy({ $0 == nil }) else {
                throw FlagError("--no-healthcheck", nil, "conflicts with --health-* options", advice: "Give one of the two.")
            }
            return Healthcheck(test: .none)
        }
        guard others.contains(where: { $0 != nil }) else { return nil }
        let command = try nonempty(healthCommand, "--health-cmd")
        var check = Healthcheck(test: command.map { .shell($0) } ?? .inherited)
        check.interval = try span(healthInterval, "--health-interval")
        check.timeout = try span(healthTimeout, "--health-timeout")
        check.startPeriod = try span(healthStartPeriod, "--health-start-period")
        check.startInterval = try span(healthStartInterval, "--health-start-interval")
        if let healthRetries {
            guard let retries = Int(healthRetries), retries >= 0 else {
                throw FlagError("--health-retries", healthRetries, "cannot be negative", advice: "Write a number from 0.")
            }
            check.retries = retries
        }
        return check
    }

    private func span(_ text: String?, _ flag: String) throws(FlagError) -> Int64 {
        guard let text else { return 0 }
        let span = try DurationAmount.parse(text, flag: flag)
        guard span == 0 || span >= 1_000_000 else {
            throw FlagError(flag, text, "cannot be less than 1ms", advice: "Write 0 for the default.")
        }
        return Int64(span)
    }
}

/// `--log-opt KEY=VALUE`: Docker's names for what `--log-size` says.
enum LogOptionFlags {
    /// Bytes after which the log is rotated; nil: not said.
    static func bytes(_ options: [String]) throws(FlagError) -> Int? {
        var bytes: Int?
        for option in options {
            let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            switch (pair[0], pair.count == 2 ? pair[1] : "") {
            case ("max-size", let amount):
                let size = try ByteAmount.parse(amount, flag: "--log-opt max-size")
                guard size > 0 else { throw FlagError("--log-opt", option, "the log needs room for something") }
                bytes = size
            case ("max-file", "2"): break
            case ("max-file", _):
                throw FlagError(
                    "--log-opt", option, "a log is the current file and one older one",
                    advice: "Write max-file=2, and choose the size with max-size.")
            default:
                throw FlagError("--log-opt", option, "unknown log option", advice: "There are max-size and max-file.")
            }
        }
        return bytes
    }
}
