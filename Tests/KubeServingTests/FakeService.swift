import HTTPServing
import JSON
import KubeObjects
import Linux
import Synchronization
import TestKit

@testable import KubeServing

/// An API of one pod, "default/web", that also says who asked.
///
///     /whoami               the user, as JSON
///     /echo                 the request as it was understood
///     /events               what `emit` gives, a line each
///     /api/v1/namespaces/default/pods/web/{log,exec,attach,portforward,proxy}
final class FakeService: APIService {
    let events = FakeEvents()
    private let last = Mutex<APIRequest?>(nil)

    /// The port of this machine that the pod's proxy leads to.
    let proxied = Mutex<UInt16>(1)

    var lastRequest: APIRequest? { last.withLock { $0 } }

    static let target = PodTarget(namespace: "default", name: "web", uid: "u1", container: "main")

    static let pod: JSONValue = [
        "kind": "Pod", "apiVersion": "v1",
        "metadata": ["name": "web", "namespace": "default", "uid": "u1", "resourceVersion": "7"],
        "spec": ["containers": [["name": "main", "image": "busybox", "stdin": true]]],
        "status": [
            "phase": "Running", "podIP": "10.0.0.2",
            "containerStatuses": [
                [
                    "name": "main", "ready": true, "restartCount": 0, "image": "busybox", "imageID": "",
                    "state": ["running": [:]],
                ]
            ],
        ],
    ]

    func answer(_ request: APIRequest) async -> APIAnswer {
        last.withLock { $0 = request }
        switch request.path {
        case ["whoami"]:
            return json(["name": .string(request.user.name), "groups": .array(request.user.groups.map { .string($0) })])
        case ["echo"]: return json(echo(request))
        case ["warning"]:
            let value = request.parameter("text") ?? ""
            return .parts(APIResponse(200, headers: [("Warning", value), ("no name", "x")]), events)
        case ["events"]:
            return .parts(APIResponse(200, headers: [("Content-Type", "application/json")]), events)
        case ["api"]: return json(["kind": "APIVersions", "versions": ["v1"]])
        case ["apis"]: return json(["kind": "APIGroupList", "apiVersion": "v1", "groups": []])
        case ["api", "v1"]: return json(Self.resources)
        case ["version"]: return json(["major": "1", "minor": "36", "gitVersion": "v1.36.0"])
        default: return pods(request)
        }
    }

    private static let resources: JSONValue = [
        "kind": "APIResourceList", "groupVersion": "v1",
        "resources": [
            [
                "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod",
                "verbs": ["get", "list", "watch"],
            ]
        ],
    ]

    private func pods(_ request: APIRequest) -> APIAnswer {
        guard Array(request.path.prefix(6)) == ["api", "v1", "namespaces", "default", "pods", "web"] else {
            return .whole(APIResponse(failure: .notFound(.pods, request.path.last ?? "")))
        }
        let options = Self.options(request)
        switch request.path.dropFirst(6).first {
        case nil: return json(Self.pod)
        case "log":
            var options = PodLogOptions()
            options.follow = request.parameter("follow") == "true"
            return .pod(.log(Self.target, options))
        case "exec":
            let command = request.query.filter { $0.name == "command" }.map(\.value)
            return .pod(.execute(Self.target, options, command: command))
        case "proxy":
            return .proxy(
                ProxyTarget(
                    isSecure: false, host: "127.0.0.1", port: proxied.withLock { $0 },
                    prefix: "/" + request.path.prefix(7).joined(separator: "/"), prefixParts: 7))
        case "attach": return .pod(.attach(Self.target, options))
        case "portforward":
            let ports = request.query.filter { $0.name == "ports" }.flatMap { $0.value.split(separator: ",") }
            return .pod(.portForward(Self.target, ports: ports.compactMap { UInt16($0) }))
        default: return .whole(APIResponse(failure: .notFound(.pods, "web")))
        }
    }

    private static func options(_ request: APIRequest) -> PodStreamOptions {
        var options = PodStreamOptions()
        options.stdin = request.parameter("stdin") == "true"
        options.stdout = request.parameter("stdout") == "true"
        options.stderr = request.parameter("stderr") == "true"
        options.tty = request.parameter("tty") == "true"
        return options
    }

    private func echo(_ request: APIRequest) -> JSONValue {
        [
            "method": .string(request.method), "path": .array(request.path.map { .string($0) }),
            "query": .array(request.query.map { .string("\($0.name)=\($0.value)") }),
            "body": .integer(Int64(request.body.count)), "peer": .string(request.peerAddress ?? ""),
            "accept": .string(request.headers["accept"] ?? ""),
            "authorization": .string(request.headers["authorization"] ?? ""),
        ]
    }

    private func json(_ value: JSONValue) -> APIAnswer {
        .whole(APIResponse(200, headers: [("Content-Type", "application/json")], body: JSONWriter.bytes(value)))
    }
}

/// Parts that a test gives one after the other.
final class FakeEvents: APIParts {
    private struct State {
        var queue: [[UInt8]] = []
        var isCancelled = false
        var waiter: CheckedContinuation<[UInt8]?, Never>?
    }
    private let state = Mutex(State())

    func emit(_ text: String) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            if state.waiter == nil { state.queue.append(Array(text.utf8)) }
            return state.waiter
        }
        waiter?.resume(returning: Array(text.utf8))
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func next() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let ready: [UInt8]?? = state.withLock { state in
                if !state.queue.isEmpty { return .some(state.queue.removeFirst()) }
                if state.isCancelled { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    func cancel() {
        let waiter = state.withLock { state in
            state.isCancelled = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
