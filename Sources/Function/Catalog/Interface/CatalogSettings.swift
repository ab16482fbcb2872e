package import Lambda

/// What the catalogue must know of the node and the machine.
package struct CatalogSettings: Sendable {
    package var account = LambdaAccount()
    /// `ConcurrentExecutions` of the account.
    package var concurrencyLimit = 1000
    /// So many of them cannot be reserved.
    package var unreservedMinimum = 100
    /// `TotalCodeSize` of the account, bytes of archives.
    package var codeStorageLimit = 75 << 30
    /// "x86_64" or "arm64": of this machine.
    package var architecture: String
    /// Of this machine, MB: no function may be larger.
    package var memoryMB: Int
    /// The interpreters of this machine as names of runtimes: "python3.11".
    package var pythons: [String]

    package init(architecture: String, memoryMB: Int, pythons: [String]) {
        self.architecture = architecture
        self.memoryMB = memoryMB
        self.pythons = pythons
    }

    /// What can be set as `Runtime`.
    package var runtimes: [String] { ["provided", "provided.al2", "provided.al2023"] + pythons + ["forkless.stdio"] }
}

/// What the catalogue asks of other parts of the node. They may be set later than the catalogue is made.
package struct CatalogHooks: Sendable {
    /// The address of a function URL: `http://ID.lambda-url.localhost:7070/`.
    package var functionURL: @Sendable (_ id: String) -> String = { "http://\($0).lambda-url.localhost:7070/" }
    /// The address at which the door serves a path that begins with /forkless/v1/code/.
    package var codeLocation: @Sendable (_ path: String) -> String = { "http://127.0.0.1:3001\($0)" }
    /// Throws when a mapping cannot work: a schedule that is none, a queue that is not there.
    package var checkMapping: @Sendable (EventSourceMapping) throws(LambdaFailure) -> Void = { _ in }
    /// Instances of a version that are started, and those of them that are ready, for its provisioned concurrency.
    package var provisioned: @Sendable (DeployedFunction) -> (allocated: Int, available: Int) = { _ in (0, 0) }

    package init() {}
}
