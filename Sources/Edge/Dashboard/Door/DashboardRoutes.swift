import HTTPServing
import Linux

// Which page is at which address.
extension DashboardDoor {
    func show(_ path: [String], _ query: [String: String], _ visitor: Visitor) async throws(DashboardFailure) -> HTTPResponse {
        let now = visitor.surroundings.now
        switch path.count {
        case 0: return answer(.overview(try await source.overview(), now: now), visitor)
        case 1: return answer(try await section(path[0], query, visitor), visitor)
        case 2 where path[0] == "shifts": return answer(.shift(try await source.shift(path[1]), now: now), visitor)
        case 2 where path[0] == "reports":
            return html(try await source.report(path[1]), policy: SecurityHeaders.reportPolicy)
        case 3 where path[0] == "workloads":
            guard let kind = WorkloadKey.Kind(rawValue: path[1]) else { break }
            return answer(.workload(try await source.workload(WorkloadKey(kind, path[2])), now: now), visitor)
        default: break
        }
        throw DashboardFailure(.notFound, "The dashboard has no such page.")
    }

    private func section(_ name: String, _ query: [String: String], _ visitor: Visitor) async throws(DashboardFailure) -> Page {
        let now = visitor.surroundings.now
        switch name {
        case "workloads": return try await workloads(WorkloadSelection(query), now)
        case "functions": return .functions(try await source.functions())
        case "shifts": return .shifts(try await source.shifts())
        case "images": return .images(try await source.images())
        case "events": return .events(try await source.events(limit: 200), now: now)
        case "ledger":
            let search = LedgerSearch(query)
            return .ledger(try await source.ledger(search), search, now: now)
        case "reports": return .reports(try await source.reports(), now: now)
        case "confirm":
            guard let action = DashboardAction(query) else {
                throw DashboardFailure(.invalid, "The address names no action that the dashboard knows.")
            }
            return .confirmation(action, visitor.surroundings)
        default: throw DashboardFailure(.notFound, "The dashboard has no such page.")
        }
    }

    private func workloads(_ wish: WorkloadSelection, _ now: Timestamp) async throws(DashboardFailure) -> Page {
        let (rows, total, page, pages) = wish.select(try await source.workloads())
        var shown = wish
        shown.page = page
        return .workloads(await source.measured(rows), shown, total: total, pages: pages, now: now)
    }

    private func answer(_ page: Page, _ visitor: Visitor) -> HTTPResponse {
        guard visitor.wantsPart else { return self.page(page, visitor.surroundings) }
        return html(page.fragment())
    }
}
