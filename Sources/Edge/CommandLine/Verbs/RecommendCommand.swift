import ArgumentParser
import Engine
import JSON
import Linux
import Metering
import RightSizing

/// `forkless recommend`
struct RecommendCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "recommend",
        abstract: "Says which memory, CPU, pool and rung fit what was measured, and changes them with --apply.",
        discussion: """
            Functions are judged by their newest calls in the ledger (10,000 at most), containers and deployments by what the \
            kernel has counted since they started, shifts by what they have compared. Each change stands with what it saves in \
            30 days by the node's price book, and with its risk: how many of the calls seen it would have hurt, and the share \
            that it stays below with 95 % confidence. Too few calls are an answer. docs/recommend.md has the rules.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

    @Argument(help: ArgumentHelp("Only these: functions, shifts, containers, NAMESPACE/DEPLOYMENT/CONTAINER.", valueName: "workload"))
    var workloads: [String] = []

    @Flag(name: .customLong("apply"), help: "Make the changes, through the public APIs.")
    var apply = false

    @Flag(name: .customLong("dry-run"), help: "With --apply: say which requests would be made, and make none.")
    var dryRun = false

    @Option(name: .customLong("from"), help: ArgumentHelp("Only calls from then on: a time or a day.", valueName: "time"))
    var from: String?

    @Option(name: .customLong("min-calls"), help: ArgumentHelp("Calls or comparisons that advice needs (default: 100).", valueName: "number"))
    var minimumCalls: Int?

    @Option(
        name: .customLong("min-time"),
        help: ArgumentHelp("How long a container must have run (default: 1h).", valueName: "span"))
    var minimumTime: String?

    @Option(
        name: .customLong("headroom"),
        help: ArgumentHelp("What is left free above the highest peak of memory, percent (default: 25).", valueName: "percent"))
    var headroom: Int?

    @Option(
        name: .customLong("watch"),
        help: ArgumentHelp("Look at the CPU of containers for so long: their peaks are kept nowhere.", valueName: "span"))
    var watch: String?

    @Option(name: .customLong("output"), help: "How to write it.")
    var format = Format.table

    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        guard apply || !dryRun else {
            throw FlagError("--dry-run", nil, "nothing is changed without --apply anyway", advice: "Give --apply --dry-run.")
        }
        let rules = try rules()
        let seconds = try watch.map { text throws(FlagError) in try Self.watchSeconds(text) } ?? 0
        let ways = try await SizingNode.open(node)
        do {
            let (report, outcomes) = try await advise(ways, seconds, rules)
            await ways.close()
            try write(report)
            let failed = outcomes.count { $0.problem != nil }
            if failed > 0 { throw CommandFailure("\(failed) of \(outcomes.count) changes failed") }
        } catch {
            await ways.close()
            throw error
        }
    }

    private func advise(
        _ ways: SizingNode, _ watchSeconds: Int, _ rules: SizingRules
    ) async throws -> (AdviceReport, [SizingOutcome]) {
        let measurements = try await SizingMeasurements.open(
            ways, from: try nonempty(from, "--from"), watchSeconds: watchSeconds, rules)
        let advices = try await measurements.advices(only: workloads)
        let known = Set(advices.flatMap { [$0.workload, "\($0.kind.rawValue)/\($0.workload)"] })
        if let stranger = workloads.first(where: { !known.contains($0) }) {
            throw CommandFailure(
                "recommend for \(stranger): the node has no function, shift, running container or deployment of this name")
        }
        let outcomes = apply ? await SizingChanges(node: ways).perform(advices, isRehearsed: dryRun) : []
        let report = AdviceReport(
            advices: advices, outcomes: outcomes, currency: measurements.ground.prices.currency, isRehearsed: dryRun)
        return (report, outcomes)
    }

    private func write(_ report: AdviceReport) throws {
        switch format {
        case .json: try StandardStreams.write(report.json)
        case .table: try StandardStreams.write(report.text(width: StandardStreams.width))
        }
    }

    /// For how long containers are looked at: so long at least, in whole seconds.
    static func watchSeconds(_ text: String) throws(FlagError) -> Int {
        let (seconds, attoseconds) = try DurationFlag.parse(text, flag: "--watch").components
        guard seconds >= 1 else {
            throw FlagError("--watch", text, "containers are looked at once a second", advice: "Write 1s or more.")
        }
        return Int(seconds) + (attoseconds > 0 ? 1 : 0)
    }

    private func rules() throws(FlagError) -> SizingRules {
        var rules = SizingRules()
        if let minimumCalls {
            guard minimumCalls > 0 else { throw FlagError("--min-calls", "\(minimumCalls)", "not a number above 0") }
            rules.minimumCalls = minimumCalls
        }
        if let minimumTime {
            let (seconds, attoseconds) = try DurationFlag.parse(minimumTime, flag: "--min-time").components
            rules.minimumSeconds = Double(seconds) + Double(attoseconds) / 1e18
        }
        if let headroom {
            guard (0...1000).contains(headroom) else { throw FlagError("--headroom", "\(headroom)", "not a percentage from 0 to 1000") }
            rules.headroomPercent = headroom
        }
        return rules
    }
}
