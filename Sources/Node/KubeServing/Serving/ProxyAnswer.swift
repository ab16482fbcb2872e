internal import HTTPServing
internal import KubeObjects
internal import Synchronization

/// A request passed on to a pod or to an endpoint of a service, and its answer passed back.
///
/// Invariants
/// 1. Nothing that lets the client into the API leaves the node: no token, and nobody else's name.
///    (test: `what is passed on has no credentials of the client's`)
/// 2. What goes back are the target's own words, but for what belongs to one connection and for places, which are told
///    as the client knows them. (test: `a redirect of the target stays below the proxy`)
struct ProxyAnswer {
    private let target: ProxyTarget
    private let request: APIRequest
    private let answer: DoorAnswer
    private let parts: DoorParts

    /// How long a target may take to be connected to, and to begin its answer.
    private static let patience = Duration.seconds(60)

    init(_ target: ProxyTarget, _ request: APIRequest, _ answer: DoorAnswer, _ parts: DoorParts) {
        self.target = target
        self.request = request
        self.answer = answer
        self.parts = parts
    }

    func give() async {
        let asked = RawTarget(request.target)
        let path = asked.path(behind: target.prefixParts)
        // A page's own links are relative to a directory (https://issue.k8s.io/4958).
        if path.isEmpty, request.method == "GET" || request.method == "HEAD" {
            let place = asked.path + "/" + asked.query
            return await answer.whole(APIResponse(301, headers: [("Location", place)]))
        }
        if ProxyFields.wantsUpgrade(request.headers) {
            return await ProxyUpgrade(target, request, path.isEmpty ? "/" : path, asked.query, answer, parts).give()
        }
        let passed = HTTPRequest(
            method: request.method, target: (path.isEmpty ? "/" : path) + asked.query,
            headers: ProxyFields.passed(request, target, path: path))
        let call = HTTPCall(
            to: .tcp(target.host, target.port), on: answer.loop, timeout: Self.patience,
            isSecure: target.isSecure)
        do throws(HTTPServingFailure) {
            let streamed = try await call.stream(passed, body: request.body)
            let head = APIResponse(
                streamed.status,
                headers: ProxyFields.returned(streamed.headers, target, clientHost: request.headers["host"]))
            if request.method == "HEAD" || streamed.status == 204 || streamed.status == 304 {
                return await answer.whole(head)
            }
            await answer.parts(head, ProxiedParts(streamed) { answer.breakOff() }, parts.open)
        } catch {
            await answer.whole(
                APIResponse(
                    failure: APIFailure(503, "ServiceUnavailable", "error trying to reach service: \(error)")))
        }
    }
}

/// The path and query of a request as they came.
struct RawTarget: Hashable, Sendable {
    /// Without the query.
    let path: String
    /// With its "?"; empty without one.
    let query: String

    init(_ target: String) {
        var rest = Substring(target)
        if !rest.hasPrefix("/"), let scheme = rest.firstIndex(of: ":") {
            // The absolute form: behind the scheme and the host.
            rest = rest[scheme...].dropFirst().drop { $0 == "/" }.drop { $0 != "/" && $0 != "?" }
        }
        rest = rest.prefix { $0 != "#" }
        path = String(rest.prefix { $0 != "?" })
        query = String(rest.dropFirst(path.count))
    }

    /// What stands behind so many parts that are not empty, with its slash; empty for nothing.
    func path(behind count: Int) -> String {
        var rest = Substring(path)
        for _ in 0..<count { rest = rest.drop { $0 == "/" }.drop { $0 != "/" } }
        return String(rest)
    }
}

/// The body of a target's answer, as it comes.
private final class ProxiedParts: APIParts {
    private let answer: HTTPStreamedAnswer
    private let broken: @Sendable () -> Void
    private let reading = Mutex<Task<[UInt8]?, Never>?>(nil)
    private let isCancelled = Mutex(false)

    /// - Parameter broken: called when the answer breaks off: its reader must not take it for complete.
    init(_ answer: HTTPStreamedAnswer, _ broken: @escaping @Sendable () -> Void) {
        self.answer = answer
        self.broken = broken
    }

    func next() async -> [UInt8]? {
        guard !isCancelled.withLock({ $0 }) else { return nil }
        let (answer, broken) = (answer, broken)
        let task = Task { () -> [UInt8]? in
            var parts = answer.makeAsyncIterator()
            do throws(HTTPServingFailure) { return try await parts.next() } catch {
                if !Task.isCancelled { broken() }
                return nil
            }
        }
        reading.withLock { $0 = task }
        return await task.value
    }

    func cancel() {
        isCancelled.withLock { $0 = true }
        reading.withLock { $0 }?.cancel()
    }
}
