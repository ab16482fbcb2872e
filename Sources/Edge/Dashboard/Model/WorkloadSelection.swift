import Linux

/// Which workloads a page of the table shows: searched, sorted and cut into pages by the server.
///
/// Invariants
/// 1. Every workload is on exactly one page of each order. (test: `every workload stands on one page, in every order`)
package struct WorkloadSelection: Hashable, Sendable {
    package enum Order: String, Hashable, Sendable, CaseIterable { case name, rung, state, calls, p50, p99, since }

    package static let pageSize = 50

    package var search = ""
    package var rung: WorkloadRung?
    package var order = Order.name
    package var isDescending = false
    /// From 0.
    package var page = 0

    package init() {}

    /// Reads a query; what is no known value counts as absent.
    package init(_ query: [String: String]) {
        search = String((query["q"] ?? "").prefix(200))
        rung = query["rung"].flatMap { WorkloadRung(rawValue: $0) }
        order = query["sort"].flatMap { Order(rawValue: $0) } ?? .name
        isDescending = query["order"] == "desc"
        page = max(0, min(query["page"].flatMap { Int($0) } ?? 1, 1_000_000) - 1)
    }

    package var query: [(String, String?)] {
        [
            ("q", search), ("rung", rung?.rawValue), ("sort", order == .name ? nil : order.rawValue),
            ("order", isDescending ? "desc" : nil), ("page", page == 0 ? nil : "\(page + 1)"),
        ]
    }

    /// The page, and how many there are beside it. A page beyond the last is the last.
    package func select(_ all: [Workload]) -> (rows: [Workload], total: Int, page: Int, pages: Int) {
        let words = search.lowercased().split(separator: " ")
        let found = all.filter { workload in
            guard rung == nil || workload.rung == rung else { return false }
            guard !words.isEmpty else { return true }
            let text = "\(workload.name) \(workload.what) \(workload.state) \(workload.key.id)".lowercased()
            return words.allSatisfy { text.contains($0) }
        }
        let sorted = found.sorted { isDescending ? precedes($1, $0) : precedes($0, $1) }
        let pages = max(1, (sorted.count + Self.pageSize - 1) / Self.pageSize)
        let page = min(page, pages - 1)
        let rows = sorted.dropFirst(page * Self.pageSize).prefix(Self.pageSize)
        return (Array(rows), sorted.count, page, pages)
    }

    /// A total order: equal ones by name, then by key.
    private func precedes(_ a: Workload, _ b: Workload) -> Bool {
        switch order {
        case .name: break
        case .rung where a.rung != b.rung: return Self.height(a.rung) < Self.height(b.rung)
        case .state where a.state != b.state: return a.state < b.state
        case .calls: if let less = Self.less(a.figures.callsPerSecond, b.figures.callsPerSecond) { return less }
        case .p50: if let less = Self.less(a.figures.p50Seconds, b.figures.p50Seconds) { return less }
        case .p99: if let less = Self.less(a.figures.p99Seconds, b.figures.p99Seconds) { return less }
        case .since where a.since != b.since: return (a.since?.nanoseconds ?? .max) > (b.since?.nanoseconds ?? .max)
        case .rung, .state, .since: break
        }
        if a.name != b.name { return a.name < b.name }
        return (a.key.kind.rawValue, a.key.id) < (b.key.kind.rawValue, b.key.id)
    }

    private static func height(_ rung: WorkloadRung) -> Int { WorkloadRung.allCases.firstIndex(of: rung)! }

    /// nil: equal. What was not measured is least.
    private static func less(_ a: Double?, _ b: Double?) -> Bool? {
        let (a, b) = (a ?? -1, b ?? -1)
        return a == b ? nil : a < b
    }
}
