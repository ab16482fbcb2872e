/// Who asks: what an authenticator found out.
package struct UserInfo: Hashable, Sendable {
    package var name: String
    package var uid: String?
    package var groups: [String]
    package var extra: [String: [String]]

    package init(name: String, uid: String? = nil, groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// Somebody without credentials.
    package static let anonymous = UserInfo(name: "system:anonymous", groups: ["system:unauthenticated"])
    /// Who may do everything: the group is bound to cluster-admin and asked for before all bindings.
    package static let masters = "system:masters"
}

/// A request as the API sees it, without the connection that it came on.
package struct APIRequest: Sendable {
    /// "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD" ...
    package var method: String
    /// The path's parts, decoded: ["apis", "apps", "v1", "namespaces", "default", "deployments"].
    package var path: [String]
    /// Path and query as they came, percent-encoding and all; empty for what runs in the node.
    package var target = ""
    /// In the order in which they came, decoded.
    package var query: [(name: String, value: String)]
    /// The names in small letters.
    package var headers: [String: String]
    package var body: [UInt8]
    package var user: UserInfo
    /// Without its port; nil for what runs in the node.
    package var peerAddress: String?

    package init(
        method: String, path: [String], query: [(name: String, value: String)] = [], headers: [String: String] = [:],
        body: [UInt8] = [], user: UserInfo, peerAddress: String? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.user = user
        self.peerAddress = peerAddress
    }

    /// The first value of that name.
    package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// What becomes of a request.
package enum APIAnswer: Sendable {
    case whole(APIResponse)
    /// Parts that come when there is something to tell: a watch. Headers and status go out before the first part.
    case parts(APIResponse, any APIParts)
    /// What a pod's container writes, reads or serves: the door speaks the protocol that the client asked for.
    case pod(PodRequest)
    /// Whatever the target answers to the same request.
    case proxy(ProxyTarget)
}

/// An answer as a whole, or the head of one in parts.
package struct APIResponse: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The parts of an answer, read by one task.
package protocol APIParts: AnyObject, Sendable {
    /// The next part, waiting for it; nil at the end.
    func next() async -> [UInt8]?
    /// Ends it: the client has gone.
    func cancel()
}

/// Answers requests: who may do what, and what it does. It knows nothing of connections.
package protocol APIService: Sendable {
    func answer(_ request: APIRequest) async -> APIAnswer
}
