/// What the dashboard asks the node.
package protocol DashboardSource: Sendable {
    func overview() async throws(DashboardFailure) -> Overview
    /// All of them, with what costs nothing to say.
    func workloads() async throws(DashboardFailure) -> [Workload]
    /// Adds what costs something: memory and CPU of those that a page shows.
    func measured(_ workloads: [Workload]) async -> [Workload]
    func workload(_ key: WorkloadKey) async throws(DashboardFailure) -> WorkloadDetails
    func functions() async throws(DashboardFailure) -> FunctionsModel
    func shifts() async throws(DashboardFailure) -> [ShiftLine]
    func shift(_ id: String) async throws(DashboardFailure) -> ShiftDetails
    func images() async throws(DashboardFailure) -> ImagesModel
    /// The newest first.
    func events(limit: Int) async throws(DashboardFailure) -> [EventLine]
    func ledger(_ search: LedgerSearch) async throws(DashboardFailure) -> LedgerModel
    func reports() async throws(DashboardFailure) -> [ReportLine]
    /// The HTML of a saved report.
    func report(_ name: String) async throws(DashboardFailure) -> [UInt8]
    /// - Returns: what has happened, as a sentence.
    func perform(_ action: DashboardAction) async throws(DashboardFailure) -> String
}

/// Why a page or an action is not to be had, as a sentence.
package struct DashboardFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable { case notFound, conflict, unavailable, invalid, failed }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    var status: Int {
        switch kind {
        case .notFound: 404
        case .conflict: 409
        case .unavailable: 503
        case .invalid: 400
        case .failed: 500
        }
    }
}
