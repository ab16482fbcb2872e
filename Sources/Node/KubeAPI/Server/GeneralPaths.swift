import JSON
import KubeObjects
import KubeStore
import KubeViews

extension APIServer {
    /// Paths that are no resource's: discovery, health, metrics, the version.
    func general(_ request: APIRequest, _ info: RequestInfo) async throws(APIFailure) -> APIAnswer {
        if let document = documents.answer(request) { return .whole(document) }
        guard request.method == "GET" || request.method == "HEAD" else { throw Self.noSuchMethod }
        let path = request.path.filter { !$0.isEmpty }
        switch path.first {
        case "healthz", "livez", "readyz": return .whole(await health(path, request))
        case "metrics" where path.count == 1 && computed != nil:
            return .whole(
                APIResponse(
                    200, headers: [(name: "Content-Type", value: "text/plain; version=0.0.4; charset=utf-8")],
                    body: Array((computed?.exposition() ?? "").utf8)))
        default: throw Self.noSuchResource
        }
    }

    /// "ok", or in words with `?verbose`; each check has a path of its own.
    private func health(_ path: [String], _ request: APIRequest) async -> APIResponse {
        var checks = [("ping", true)]
        if path[0] != "livez" {
            let isReadable: Bool
            do throws(ObjectStoreFailure) { isReadable = try await store.history().newest > 0 } catch {
                isReadable = false
            }
            checks.append(("store", isReadable))
        }
        if path.count > 1 { checks = checks.filter { $0.0 == path[1] } }
        let isWell = checks.allSatisfy(\.1)
        let plain = [
            (name: "Content-Type", value: "text/plain; charset=utf-8"),
            (name: "X-Content-Type-Options", value: "nosniff"),
        ]
        guard !checks.isEmpty else { return APIResponse(404, headers: plain, body: Array("404 page not found\n".utf8)) }
        var text = "ok"
        if !isWell || request.parameter("verbose") != nil {
            text = checks.map { $0.1 ? "[+]\($0.0) ok\n" : "[-]\($0.0) failed: reason withheld\n" }.joined()
            text += "\(path[0]) check \(isWell ? "passed" : "failed")\n"
        }
        return APIResponse(isWell ? 200 : 500, headers: plain, body: Array(text.utf8))
    }
}
