package import Linux

/// The network namespace in which bridges, rules and name servers are: the machine's, or a test's.
package struct MachineNetwork: Sendable {
    /// nil: this process's own.
    private let namespace: SharedFD?

    /// - Parameter namespace: nil is this process's own.
    package init(_ namespace: SharedFD? = nil) { self.namespace = namespace }

    /// Runs what may block on a thread that is in the namespace: sockets and processes made there belong to it.
    package func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(SystemError) -> Value {
        let namespace = namespace
        return try await BlockingPool.shared.run { () throws(SystemError) in
            guard let namespace else { return try body() }
            return try NetworkNamespace.visit(namespace, body)
        }
    }
}
