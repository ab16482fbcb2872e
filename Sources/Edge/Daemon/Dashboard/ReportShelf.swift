import Comparison
import Dashboard
import Linux

/// The reports that `forkless compare --save` has filed in STATE/reports, as the dashboard lists and shows them.
struct ReportShelf: Sendable {
    private let reports: SavedReports

    init(state: String) { reports = SavedReports(state: state) }

    func all() async throws(DashboardFailure) -> [ReportLine] {
        let reports = reports
        return try await blocking { () throws(ComparisonError) in try reports.list() }.map { entry in
            ReportLine(
                name: entry.name, title: entry.summary.map { "\($0.workload): \($0.rungs.joined(separator: ", "))" } ?? "",
                savedAt: entry.summary?.began, bytes: entry.bytes, problem: entry.problem ?? (entry.summary?.hasFaults == true ? "some runs failed or differ" : nil))
        }
    }

    /// The page that was made with the report.
    func page(_ name: String) async throws(DashboardFailure) -> [UInt8] {
        let reports = reports
        return try await blocking { () throws(ComparisonError) in try reports.page(name) }
    }

    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ComparisonError) -> Value
    ) async throws(DashboardFailure) -> Value {
        let result: Result<Value, ComparisonError>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in Result { () throws(ComparisonError) in try body() } }
        } catch { throw DashboardFailure(.failed, "look for reports: \(error)") }
        do throws(ComparisonError) { return try result.get() } catch { throw DashboardFailure(.notFound, "\(error)") }
    }
}
