import JSON
import KubeObjects
import KubeStore
import KubeViews
import Linux
import Synchronization
import TestKit

@testable import KubeAPI

/// The API over a store in memory, spoken to as clients do: with paths and texts.
final class Door: Sendable {
    struct Answer {
        var status: Int
        var headers: [(name: String, value: String)]
        var text: String
        var json: JSONValue { (try? JSONParser.parse(text)) ?? .null }
        var message: String { json["message"]?.string ?? "" }
        var reason: String { json["reason"]?.string ?? "" }
        var warnings: [String] { headers.filter { $0.name == "Warning" }.map(\.value) }
    }

    static let start = Timestamp(nanoseconds: 1_795_000_000 * 1_000_000_000)
    static let admin = UserInfo(name: "admin", groups: [UserInfo.masters, "system:authenticated"])

    let store: any ObjectStoring
    let server: APIServer
    let clock = ManualClock()
    private let seconds = Mutex(0)

    init(
        store: any ObjectStoring = MemoryObjectStore(), seed: UInt64 = 1,
        settings: APISettings = APISettings(serviceRanges: [Subnet("10.96.0.0/16")!]),
        authorities: [any ObjectAuthority] = []
    ) async throws {
        self.store = store
        let box = Box()
        server = APIServer(
            store: store, kinds: ServedKinds(), version: ServerVersion(program: "forkless"), settings: settings,
            tokens: SimpleTokens(), authorities: authorities, clock: clock,
            time: { Timestamp(nanoseconds: Door.start.nanoseconds + box.seconds.withLock { $0 } * 1_000_000_000) },
            chance: SeededChance(seed: seed))
        self.box = box
        try await server.start()
    }

    final class Box: Sendable { let seconds = Mutex(0) }
    private let box: Box

    func pass(seconds: Int) { box.seconds.withLock { $0 += seconds } }

    func close() async {
        store.endWatches()
        await server.stop()
    }

    /// - Parameter path: with its query.
    func raw(
        _ method: String, _ path: String, _ body: [UInt8] = [], type: String? = nil, as user: UserInfo = Door.admin,
        headers: [String: String] = [:]
    ) async -> APIAnswer {
        let parts = path.split(separator: "?", maxSplits: 1)
        var query: [(name: String, value: String)] = []
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query.append((name: halves[0], value: halves.count > 1 ? Self.decoded(halves[1]) : ""))
        }
        var headers = headers
        if let type { headers["content-type"] = type }
        let request = APIRequest(
            method: method, path: parts[0].split(separator: "/").map(String.init), query: query, headers: headers,
            body: body, user: user)
        return await server.answer(request)
    }

    private static func decoded(_ text: String) -> String {
        text.replacing("%3D", with: "=").replacing("%2C", with: ",").replacing("%26", with: "&")
    }

    func send(
        _ method: String, _ path: String, _ body: String = "", type: String? = nil, as user: UserInfo = Door.admin,
        headers: [String: String] = [:]
    ) async -> Answer {
        switch await raw(method, path, Array(body.utf8), type: type, as: user, headers: headers) {
        case .whole(let response):
            return Answer(
                status: response.status, headers: response.headers, text: String(decoding: response.body, as: UTF8.self)
            )
        case .parts(let response, let parts):
            parts.cancel()
            return Answer(status: response.status, headers: response.headers, text: "parts")
        case .proxy(let target): return Answer(status: 200, headers: [], text: "\(target)")
        case .pod(let request): return Answer(status: 101, headers: [], text: "\(request)")
        }
    }

    func send(
        _ method: String, _ path: String, _ body: JSONValue, type: String? = nil, as user: UserInfo = Door.admin,
        headers: [String: String] = [:]
    ) async -> Answer {
        await send(method, path, JSONWriter.text(body), type: type, as: user, headers: headers)
    }

    /// The lines of a watch.
    func watch(_ path: String) async throws -> Lines {
        guard case .parts(_, let parts) = await raw("GET", path) else { throw NoWatch(path: path) }
        return Lines(parts: parts)
    }

    struct NoWatch: Error { var path: String }

    struct Lines {
        let parts: any APIParts
        func next() async -> JSONValue? {
            guard let line = await parts.next() else { return nil }
            return try? JSONParser.parse(line)
        }
    }

    // MARK: Objects

    static func configMap(_ name: String, _ data: JSONValue = ["a": "1"], labels: JSONValue? = nil) -> JSONValue {
        var object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": data,
        ]
        if let labels { object["metadata", "labels"] = labels }
        return object
    }

    static func pod(_ name: String) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name)],
            "spec": ["containers": [["name": "main", "image": "nginx"]]],
        ]
    }

    static func deployment(_ name: String, replicas: Int64 = 1) -> JSONValue {
        [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name)],
            "spec": [
                "replicas": .integer(replicas), "selector": ["matchLabels": ["app": .string(name)]],
                "template": [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": ["containers": [["name": "main", "image": "nginx"]]],
                ],
            ],
        ]
    }
}

extension String {
    func replacing(_ text: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            result += rest[..<range.lowerBound] + other
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}

let maps = "/api/v1/namespaces/default/configmaps"
let pods = "/api/v1/namespaces/default/pods"
let deployments = "/apis/apps/v1/namespaces/default/deployments"

/// Tokens that say what they are of.
struct SimpleTokens: TokenIssuer {
    func issue(
        for account: KubeObject, audiences: [String], seconds: Int64?, boundTo object: BoundObject?
    ) async throws(APIFailure) -> IssuedToken {
        IssuedToken(
            token: "of:\(account.namespace ?? ""):\(account.name):\(object?.name ?? "")", audiences: audiences,
            expiry: 1_795_000_000 + (seconds ?? 3600))
    }

    func review(_ token: String, audiences: [String]) async throws(APIFailure) -> TokenVerdict {
        let parts = token.split(separator: ":").map(String.init)
        guard parts.count >= 3, parts[0] == "of" else { return .refused("") }
        return .user(UserInfo(name: "system:serviceaccount:\(parts[1]):\(parts[2])"), audiences: audiences)
    }
}
