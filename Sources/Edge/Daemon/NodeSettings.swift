/// Where a node keeps what lasts, where it listens, and which keeper it starts.
package struct NodeSettings: Hashable, Sendable {
    /// What lasts: containers and their logs.
    package var state: String
    /// Sockets, locks and logs of this boot.
    package var run: String
    /// nil: `forkless-keeper` beside our own executable.
    package var keeper: String?
    /// nil: `forkless-shim` beside our own executable.
    package var shim: String?
    /// What the node says it is.
    package var version: String
    package var registries: RegistrySettings
    package var lambda: LambdaSettings
    package var kubernetes: KubeSettings
    /// The kubeconfig of a cluster whose pods are the copies of programs on the function rung; nil: sandboxes of this
    /// machine are.
    package var functionCluster: String?
    package var log: NodeLogSettings
    /// Whether measurements are kept in STATE/history.db.
    package var keepsHistory: Bool

    package init(
        state: String, run: String, keeper: String? = nil, shim: String? = nil, version: String,
        registries: RegistrySettings = RegistrySettings(), lambda: LambdaSettings = LambdaSettings(),
        kubernetes: KubeSettings = KubeSettings(), functionCluster: String? = nil,
        log: NodeLogSettings = NodeLogSettings(), keepsHistory: Bool = true
    ) {
        self.state = state
        self.run = run
        self.keeper = keeper
        self.shim = shim
        self.version = version
        self.registries = registries
        self.lambda = lambda
        self.kubernetes = kubernetes
        self.functionCluster = functionCluster
        self.log = log
        self.keepsHistory = keepsHistory
    }

    package var nodeSocket: String { "\(run)/node.sock" }
    /// Where the Lambda API is served to this machine's administrator.
    package var lambdaSocket: String { "\(run)/lambda.sock" }
    /// Where shims ask what is to be done with a call.
    package var execSocket: String { "\(run)/exec.sock" }

    /// sun_path of unix(7) holds 108 bytes with its NUL.
    private static let socketPathBytesLimit = 107

    /// Checks what would otherwise fail later with a less helpful error, and makes paths absolute.
    package func validated(workingDirectory: String) throws(NodeSettingsError) -> NodeSettings {
        var settings = self
        settings.state = Self.absolute(state, workingDirectory)
        settings.run = Self.absolute(run, workingDirectory)
        settings.keeper = keeper.map { Self.absolute($0, workingDirectory) }
        settings.shim = shim.map { Self.absolute($0, workingDirectory) }
        settings.functionCluster = functionCluster.map { Self.absolute($0, workingDirectory) }
        settings.registries = try registries.validated { Self.absolute($0, workingDirectory) }
        settings.lambda = try lambda.validated { Self.absolute($0, workingDirectory) }
        try kubernetes.validated()
        for socket in ["\(settings.run)/keeper.sock", settings.nodeSocket, settings.lambdaSocket, settings.execSocket]
        where socket.utf8.count > Self.socketPathBytesLimit {
            throw NodeSettingsError(
                "--run \(settings.run): the path of a socket has at most \(Self.socketPathBytesLimit) bytes, and "
                    + "\(socket) has \(socket.utf8.count). Choose a shorter directory.")
        }
        guard settings.state != settings.run else {
            throw NodeSettingsError("--state and --run are both \(settings.state): they need directories of their own.")
        }
        return settings
    }

    private static func absolute(_ path: String, _ directory: String) -> String {
        let whole = path.hasPrefix("/") ? path : directory + "/" + path
        let parts = whole.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }
}

/// Settings that a node cannot run with.
package struct NodeSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
