import KubeObjects

/// What a request asks for, read from its method and path alone (`RequestInfoFactory` of k8s.io/apiserver).
///
/// Invariants
/// 1. Any path gives an answer, none traps. (test: `no request makes the server trap`)
/// 2. A path is a resource's only below /api/VERSION and /apis/GROUP/VERSION.
///    (test: `paths are read as Kubernetes reads them`)
struct RequestInfo: Hashable, Sendable {
    /// The part of a path that names a resource, an object or something below one.
    struct Target: Hashable, Sendable {
        /// Empty for the core group.
        var group: String
        var version: String
        var plural: String
        var namespace: String?
        var name: String?
        var subresource: String?
        /// What stands behind the subresource: the path that a proxy passes on.
        var rest: [String] = []
    }

    /// "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"; of a path that is no resource the
    /// method in small letters.
    var verb: String
    /// nil for a path that is no resource's.
    var target: Target?
    /// As messages and rules name it: "/api/v1/pods".
    var path: String

    init(_ request: APIRequest) {
        self.init(method: request.method, path: request.path, query: request.query)
    }

    init(method: String, path: [String], query: [(name: String, value: String)] = []) {
        self.path = "/" + path.joined(separator: "/")
        verb = method.lowercased()
        guard var target = Self.target(path) else { return }
        verb =
            switch method {
            case "POST": "create"
            case "GET", "HEAD": "get"
            case "PUT": "update"
            case "PATCH": "patch"
            case "DELETE": "delete"
            default: ""
            }
        // The old form of watches: /api/v1/watch/pods.
        let isWatchPath = target.rest == [Self.watchMark]
        if isWatchPath { target.rest = [] }
        if target.name == nil || isWatchPath {
            if verb == "get" {
                let isWatch =
                    isWatchPath || query.first { $0.name == "watch" }.map { QueryReader.flag($0.value) } == true
                verb = isWatch ? "watch" : "list"
            } else if verb == "delete" {
                verb = "deletecollection"
            }
        }
        self.target = target
    }

    private static let watchMark = "\u{0}watch"
    /// What stands below a namespace without being a resource in it.
    private static let ofNamespaces: Set<String> = ["status", "finalize"]

    private static func target(_ path: [String]) -> Target? {
        let path = path.filter { !$0.isEmpty }
        var parts: ArraySlice<String>
        var group = ""
        switch path.first {
        case "api":
            guard path.count >= 3 else { return nil }
            parts = path[1...]
        case "apis":
            guard path.count >= 4 else { return nil }
            group = path[1]
            parts = path[2...]
        default: return nil
        }
        let version = parts.removeFirst()
        let isWatch = parts.first == "watch" && parts.count > 1
        if isWatch { parts.removeFirst() }
        var target = Target(group: group, version: version, plural: "")
        if parts.first == "namespaces", parts.count > 1 {
            target.namespace = parts[parts.startIndex + 1]
            if parts.count > 2, !ofNamespaces.contains(parts[parts.startIndex + 2]) { parts = parts.dropFirst(2) }
        }
        target.plural = parts.removeFirst()
        if !parts.isEmpty { target.name = parts.removeFirst() }
        if !parts.isEmpty { target.subresource = parts.removeFirst() }
        target.rest = Array(parts)
        if isWatch { target.rest = [watchMark] }
        return target
    }
}
