import Catalog
import Dashboard
import Engine
import Functions
import JSON
import Lambda
import Linux
import Metering

/// Functions, their pools and what they cost, as the dashboard shows them.
struct FunctionWorkloads: Sendable {
    /// Functions on the page with their cost: those with the most calls.
    private static let lineLimit = 200

    let rung: FunctionRung?
    /// Those of `run --rung function`.
    let pools: FunctionRegistry?
    let prices: @Sendable () throws(PriceBookError) -> PriceBook

    func all() async -> [Workload] {
        var workloads: [Workload] = []
        if let rung {
            let status = await rung.invoker.status()
            let byName = Dictionary(grouping: status.pools, by: \.function)
            for function in rung.catalog.functions() { workloads.append(Self.workload(function, byName[function.name] ?? [])) }
        }
        for status in await pools?.list() ?? [] {
            let counts = status.counts
            let copies = counts.ready + counts.busy + counts.starting
            var workload = Workload(
                WorkloadKey(.pool, status.definition.name), name: status.definition.name, rung: .function,
                tone: counts.busy > 0 ? .busy : copies > 0 ? .good : .idle, state: "\(counts.busy) busy, \(counts.ready) waiting",
                what: "program with standbys")
            if status.isDraining { workload.state = "draining" }
            workloads.append(workload)
        }
        return workloads
    }

    private static func workload(_ function: DeployedFunction, _ pools: [PlaneStatus.Pool]) -> Workload {
        let busy = pools.reduce(0) { $0 + $1.counts.busy }
        let idle = pools.reduce(0) { $0 + $1.counts.idle }
        let failure = pools.compactMap(\.counts.lastFailure).first
        let tone: Tone = failure != nil && idle + busy == 0 ? .bad : busy > 0 ? .busy : idle > 0 ? .good : .idle
        return Workload(
            WorkloadKey(.function, function.name), name: function.name, rung: .function, tone: tone,
            state: idle + busy == 0 ? (failure == nil ? "no copies" : "starts fail") : "\(busy) busy, \(idle) warm", what: name(of: function.runtime))
    }

    static func name(of runtime: FunctionRuntime) -> String {
        switch runtime {
        case .bootstrap: "provided"
        case .python(let name): name
        case .image(let id, _, _, _): "image \(id.prefix(19))"
        case .stdio: "forkless.stdio"
        }
    }

    func model() async throws(DashboardFailure) -> FunctionsModel {
        var model = FunctionsModel(functions: [], pools: await poolLines())
        guard let rung else { return model }
        let status = await rung.invoker.status()
        model.memoryMB = status.memoryMB
        model.usedMemoryMB = status.usedMemoryMB
        let today = String(Clock.now().description.prefix(8)) + "01"
        let report: Report
        do {
            report = try await Report.make(rung.database, from: Day(today), to: nil, by: [.function], prices: try prices())
        } catch { throw DashboardFailure(.failed, "add up what functions cost: \(error)") }
        let totals = Dictionary(report.rows.map { ($0.labels[0], $0) }, uniquingKeysWith: { first, _ in first })
        let provisioned = Dictionary(grouping: rung.catalog.provisioned(), by: \.function.name)
        let lines = rung.catalog.functions().map { function in
            Self.line(function, totals[function.name], currency: report.prices.currency, provisioned[function.name]?.reduce(0) { $0 + $1.count } ?? 0)
        }
        let sorted = lines.sorted { ($1.calls, $0.name) < ($0.calls, $1.name) }
        model.functions = Array(sorted.prefix(Self.lineLimit))
        model.costNote = "Since \(today), by the prices of \(report.prices.name)."
        if sorted.count > Self.lineLimit {
            model.costNote! += " These are the \(Self.lineLimit) of \(sorted.count) functions with the most calls; all are among the workloads."
        }
        return model
    }

    private static func line(_ function: DeployedFunction, _ row: Report.Row?, currency: String, _ provisioned: Int) -> FunctionLine {
        var line = FunctionLine(name: function.name, runtime: name(of: function.runtime), memoryMB: function.memoryMB)
        line.provisioned = provisioned
        guard let row else { return line }
        line.calls = row.totals.calls
        line.errors = row.totals.errors
        line.coldStarts = row.totals.coldStarts
        line.p50Seconds = row.totals.durations.percentile(50).map { Double($0) / 1e6 }
        line.p99Seconds = row.totals.durations.percentile(99).map { Double($0) / 1e6 }
        line.billedSeconds = Double(row.totals.billedMilliseconds) / 1000
        line.cost = "\(row.cost.text) \(currency)"
        return line
    }

    func poolLines() async -> [PoolLine] {
        var lines: [PoolLine] = []
        for pool in await rung?.invoker.status().pools ?? [] {
            var line = PoolLine(function: pool.function, version: pool.version)
            line.starting = pool.counts.starting
            line.idle = pool.counts.idle
            line.busy = pool.counts.busy
            line.waiting = pool.counts.waiting
            line.calls = pool.counts.calls
            line.coldCalls = pool.counts.waitedCalls
            line.launched = pool.counts.launched
            line.failedStarts = pool.counts.failedStarts
            line.problem = pool.counts.lastFailure.map { "\($0.errorType): \($0.errorMessage)" } ?? pool.coldStartReason
            lines.append(line)
        }
        for status in await pools?.list() ?? [] {
            var line = PoolLine(function: status.definition.name, version: "standby")
            line.starting = status.counts.starting
            line.idle = status.counts.ready
            line.busy = status.counts.busy
            line.waiting = status.counts.waiting
            line.calls = status.counts.calls
            line.coldCalls = status.counts.coldCalls
            lines.append(line)
        }
        return lines
    }

    func details(_ name: String) async throws(DashboardFailure) -> WorkloadDetails {
        guard let rung, let function = rung.catalog.functions().first(where: { $0.name == name }) else {
            throw DashboardFailure(.notFound, "There is no function \(name) on this node.")
        }
        let pools = await rung.invoker.status().pools.filter { $0.function == name }
        var details = WorkloadDetails(
            Self.workload(function, pools),
            facts: [
                Fact("ARN", function.arn), Fact("Runtime", Self.name(of: function.runtime)), Fact("Handler", function.handler),
                Fact("Memory", "\(function.memoryMB) MB"), Fact("Timeout", "\(function.timeoutSeconds) s"), Fact("Code", function.codeDigest),
                Fact("Revision", function.revision),
            ])
        for pool in pools {
            details.facts.append(
                Fact(
                    "Copies of \(pool.version)",
                    "\(pool.counts.busy) busy, \(pool.counts.idle) idle, \(pool.counts.starting) starting, at most \(pool.counts.peak) at once"))
        }
        details.workload.memoryBytes = pools.isEmpty ? nil : pools.reduce(0) { $0 + ($1.counts.idle + $1.counts.busy) * $1.memoryMB << 20 }
        details.problem = pools.compactMap(\.counts.lastFailure).first.map { "The last start failed: \($0.errorType): \($0.errorMessage)" }
        for qualifier in await qualifiers(name, rung) { details.actions.append(.provision(function: name, qualifier: qualifier, copies: nil)) }
        details.actions.append(.deleteFunction(name))
        return details
    }

    /// Versions and aliases, of which copies can be kept ready; the newest few.
    private func qualifiers(_ name: String, _ rung: FunctionRung) async -> [String] {
        let input = OperationInput(path: ["FunctionName": name])
        let aliases = try? await rung.catalog.perform(.listAliases, input).body?["Aliases"]?.array
        let versions = try? await rung.catalog.perform(.listVersionsByFunction, input).body?["Versions"]?.array
        var names: [String] = (aliases ?? []).compactMap { $0["Name"]?.string }
        let numbers: [String] = (versions ?? []).compactMap { $0["Version"]?.string }
        names += numbers.filter { $0 != "$LATEST" }.suffix(3).reversed()
        return Array(names.prefix(6))
    }

    func poolDetails(_ name: String) async throws(DashboardFailure) -> WorkloadDetails {
        guard let status = await pools?.list().first(where: { $0.definition.name == name }),
            let workload = await all().first(where: { $0.key == WorkloadKey(.pool, name) })
        else { throw DashboardFailure(.notFound, "There is no pool of \(name) on this node.") }
        let counts = status.counts
        return WorkloadDetails(
            workload,
            facts: [
                Fact("Program", status.definition.program), Fact("Copies that wait", "\(counts.ready)"), Fact("Busy", "\(counts.busy)"),
                Fact("Calls", "\(counts.calls)"), Fact("Calls that found no copy", "\(counts.coldCalls)"),
                Fact("Kept ready", "\(status.definition.pool.minimum) to \(status.definition.pool.maximum)"),
            ])
    }
}
