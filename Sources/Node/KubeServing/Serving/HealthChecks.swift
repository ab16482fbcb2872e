internal import KubeObjects

/// One thing that has to be well, asked for by `/healthz`, `/livez` and `/readyz`.
package struct HealthCheck: Sendable {
    /// A part of a path: "ping", "store".
    package var name: String
    /// Whether a node for which it fails is to be restarted (`/livez`, `/healthz`), or is only not ready yet.
    package var isOfLife: Bool
    /// nil: it is well. Else why not, for the node's log: clients are not told.
    package var problem: @Sendable () async -> String?

    package init(_ name: String, isOfLife: Bool = true, problem: @escaping @Sendable () async -> String?) {
        self.name = name
        self.isOfLife = isOfLife
        self.problem = problem
    }

    static let ping = HealthCheck("ping") { nil }
}

/// Answers the paths of health in the words of kube-apiserver, without the API: anybody may ask.
struct HealthAnswers: Sendable {
    private let checks: [HealthCheck]

    init(_ checks: [HealthCheck]) { self.checks = [.ping] + checks }

    /// nil: the path is none of theirs.
    func answer(_ path: [String], _ query: [(name: String, value: String)]) async -> APIResponse? {
        guard let door = path.first, ["healthz", "livez", "readyz"].contains(door) else { return nil }
        let own = checks.filter { $0.isOfLife || door == "readyz" }
        if path.count == 2, let check = own.first(where: { $0.name == path[1] }) {
            if await check.problem() == nil { return Self.text(200, "ok") }
            return Self.text(500, "internal server error: \(check.name) failed: reason withheld\n")
        }
        guard path.count == 1 else { return nil }
        return await all(own, door, query)
    }

    private func all(
        _ checks: [HealthCheck], _ door: String, _ query: [(name: String, value: String)]
    ) async -> APIResponse {
        var excluded = Set(query.lazy.filter { $0.name == "exclude" }.map(\.value))
        var lines = ""
        var hasFailed = false
        for check in checks {
            if excluded.remove(check.name) != nil {
                lines += "[+]\(check.name) excluded: ok\n"
            } else if await check.problem() == nil {
                lines += "[+]\(check.name) ok\n"
            } else {
                hasFailed = true
                lines += "[-]\(check.name) failed: reason withheld\n"
            }
        }
        if !excluded.isEmpty {
            let names = excluded.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            lines += "warn: some health checks cannot be excluded: no matches for \(names)\n"
        }
        if hasFailed { return Self.text(500, lines + "\(door) check failed\n") }
        guard query.contains(where: { $0.name == "verbose" }) else { return Self.text(200, "ok") }
        return Self.text(200, lines + "\(door) check passed\n")
    }

    private static func text(_ status: Int, _ text: String) -> APIResponse {
        APIResponse(
            status, headers: [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")],
            body: Array(text.utf8))
    }
}
