import Dashboard
import Engine
import Images
import Linux
import Metering
import OCI

/// The node as the dashboard sees it: what it asks is answered by the parts that know.
final class NodeDashboard: DashboardSource {
    private static let overviewRows = 8

    let node: NodeSurroundings
    let startedAt = Clock.now()
    let images: ImageService
    private let usage: UsageRates
    private let once: OncePerPart

    init(_ node: NodeSurroundings) {
        self.node = node
        images = ImageService(images: node.images, engine: node.engine)
        usage = UsageRates(node.engine)
        once = OncePerPart(node)
    }

    var parts: DashboardPlace.Parts { node.dashboard.parts }
    var containers: ContainerWorkloads { ContainerWorkloads(engine: node.engine, usage: usage) }
    var shiftWorkloads: ShiftWorkloads { ShiftWorkloads(desk: parts.shifts) }
    var cluster: KubeWorkloads { KubeWorkloads(cluster: parts.cluster) }
    var ledgerView: LedgerView? { once.ledger(parts.functions) }

    var functionWorkloads: FunctionWorkloads {
        let settings = node.settings
        return FunctionWorkloads(rung: parts.functions, pools: parts.pools) { () throws(PriceBookError) in
            try PriceBook.chosen(settings.lambda.prices, state: settings.state)
        }
    }

    /// Figures of calls over the last minute; a ledger that cannot be read has none.
    private func window() async -> CallWindow {
        guard let recent = once.recent(parts.functions) else { return CallWindow() }
        return (try? await recent.current()) ?? CallWindow()
    }

    // MARK: Workloads

    func workloads() async throws(DashboardFailure) -> [Workload] {
        var all = try await containers.all()
        all += await functionWorkloads.all()
        all += shiftWorkloads.all()
        all += cluster.all()
        let window = await window()
        return all.map { with(window, $0) }
    }

    private func with(_ window: CallWindow, _ workload: Workload) -> Workload {
        let name: String
        switch workload.key.kind {
        case .function: name = workload.key.id
        case .shift: name = "shift:" + workload.key.id
        default: return workload
        }
        var workload = workload
        workload.figures = window.byFunction[name] ?? CallFigures(callsPerSecond: 0)
        return workload
    }

    func measured(_ workloads: [Workload]) async -> [Workload] { await containers.measured(workloads) }

    func workload(_ key: WorkloadKey) async throws(DashboardFailure) -> WorkloadDetails {
        var details: WorkloadDetails
        switch key.kind {
        case .container: details = try await containers.details(key.id)
        case .function: details = try await functionWorkloads.details(key.id)
        case .pool: details = try await functionWorkloads.poolDetails(key.id)
        case .shift: throw DashboardFailure(.notFound, "A shift has a page of its own, below Shifts.")
        case .pod, .deployment, .statefulset, .daemonset, .service, .job: details = try cluster.details(key)
        }
        details.workload = with(await window(), details.workload)
        details.courses = await NodeCourses(history: node.measurements.history).workload(key)
        return details
    }

    // MARK: Pages

    func overview() async throws(DashboardFailure) -> Overview {
        var model = Overview(version: node.settings.version, startedAt: startedAt)
        let all = try await workloads()
        model.residentBytes = CurrentProcess.residentBytes()
        model.rungs = WorkloadRung.allCases.map { rung in
            let these = all.filter { $0.rung == rung }
            return Overview.RungCount(rung, running: these.count { [.good, .busy].contains($0.tone) }, all: these.count)
        }
        model.figures = await window().all
        model.courses = await NodeCourses(history: node.measurements.history).overview()
        model.pools = Array(await functionWorkloads.poolLines().sorted { $0.calls > $1.calls }.prefix(Self.overviewRows))
        model.shifts = Array(shiftWorkloads.lines().filter(\.canRollBack).prefix(Self.overviewRows))
        let busiest = all.sorted { ($1.figures.callsPerSecond ?? -1, $0.name) < ($0.figures.callsPerSecond ?? -1, $1.name) }
        model.workloads = await measured(Array(busiest.prefix(Self.overviewRows)))
        model.events = try await events(limit: Self.overviewRows)
        if await node.engine.keeper() == nil { model.remarks.append("The keeper is away: nothing can be started until it is back.") }
        if let fault = ledgerView?.fault { model.remarks.append(fault) }
        return model
    }

    func functions() async throws(DashboardFailure) -> FunctionsModel { try await functionWorkloads.model() }
    func shifts() async throws(DashboardFailure) -> [ShiftLine] { shiftWorkloads.lines() }
    func shift(_ id: String) async throws(DashboardFailure) -> ShiftDetails { try await shiftWorkloads.details(id) }

    func images() async throws(DashboardFailure) -> ImagesModel {
        do throws(NodeFailure) {
            let list = try await images.list(ListImages())
            let disk = try await images.diskUsage()
            return ImagesModel(
                images: list.images.map { image in
                    ImageLine(
                        id: image.id.description, names: image.names.map(\.description), bytes: image.size,
                        created: image.created.map { String($0.prefix(10)) })
                }.sorted { ($0.names.first ?? "~", $0.id) < ($1.names.first ?? "~", $1.id) },
                disk: disk.parts.map {
                    DiskLine(name: $0.name, count: $0.total, active: $0.active, bytes: $0.bytes, reclaimableBytes: $0.reclaimableBytes)
                })
        } catch { throw DashboardFailure(error) }
    }

    func events(limit: Int) async throws(DashboardFailure) -> [EventLine] {
        var lines: [EventLine] = []
        do throws(NodeFailure) {
            let request = ReadEvents(since: Timestamp(nanoseconds: 0), until: Clock.now())
            try await node.engine.journal.read(request) { event async throws(NodeFailure) in lines.append(Self.line(event)) }
        } catch { throw DashboardFailure(error) }
        return Array((lines + (await cluster.events(limit: limit))).sorted { $0.at > $1.at }.prefix(limit))
    }

    private static func line(_ event: NodeEvent) -> EventLine {
        var attributes = event.attributes
        let name = attributes.removeValue(forKey: "name")
        let shown = ["exitCode", "signal", "image"].compactMap { key in attributes[key].map { "\(key) \($0)" } }
        let isWarning = event.action == "oom" || event.action.hasSuffix("unhealthy") || (event.action == "die" && attributes["exitCode"] != "0")
        return EventLine(
            at: event.time, kind: event.kind.rawValue, action: event.action, subject: name ?? event.subject, text: shown.joined(separator: ", "),
            isWarning: isWarning)
    }

    func ledger(_ search: LedgerSearch) async throws(DashboardFailure) -> LedgerModel {
        guard let ledgerView else { throw DashboardFailure(.unavailable, "This node keeps no ledger: it serves no functions.") }
        return try await ledgerView.model(search)
    }

    func reports() async throws(DashboardFailure) -> [ReportLine] { try await ReportShelf(state: node.settings.state).all() }
    func report(_ name: String) async throws(DashboardFailure) -> [UInt8] { try await ReportShelf(state: node.settings.state).page(name) }
}
