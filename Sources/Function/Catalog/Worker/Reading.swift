internal import Crypto
internal import JSON
package import Lambda
internal import Linux
internal import Synchronization

// What other parts of the node read, at any time and on any thread.
extension FunctionCatalog {
    /// What a name stands for: where a call goes.
    ///
    /// A look-up for a plain name; anything else is taken apart first.
    /// - Parameters:
    ///   - name: `NAME`, `NAME:QUALIFIER`, a partial or a whole ARN.
    ///   - chance: random bits, for aliases that have weights.
    /// - Throws: ResourceNotFoundException; InvalidParameterValueException for what is no name.
    package func resolve(
        _ name: String, qualifier: String? = nil, chance: UInt64
    ) throws(LambdaFailure) -> ResolvedFunction {
        let found: ResolvedFunction? = state.withLock { state in
            guard let routes = state.routes[name] else { return nil }
            guard let qualifier, !qualifier.isEmpty else { return routes.unqualified.resolve(chance) }
            return routes.qualified[qualifier]?.resolve(chance)
        }
        if let found { return found }
        return try state.withLock { state throws(LambdaFailure) in
            let reference = try state.reference(name, qualifier)
            guard let routes = state.routes[reference.name] else { throw state.notFound(reference.name, reference.qualifier) }
            guard let qualifier = reference.qualifier else { return routes.unqualified.resolve(chance) }
            guard let route = routes.qualified[qualifier] else { throw state.notFound(reference.name, qualifier) }
            return route.resolve(chance)
        }
    }

    /// $LATEST of every function.
    package func functions() -> [DeployedFunction] { state.withLock { $0.routes.values.map(\.unqualified.function) } }

    /// All that is to be kept warm.
    package func provisioned() -> [ProvisionedFunction] {
        let state = state.withLock(\.self)
        return state.functions.values.filter { !$0.provisioned.isEmpty }.flatMap { state.provisioned($0) }
    }

    /// `ReservedConcurrentExecutions` of functions that have one, by name.
    package func reservedConcurrency() -> [String: Int] {
        state.withLock { $0.functions.compactMapValues(\.reserved) }
    }

    /// Concurrency that no function has reserved.
    package var unreservedConcurrency: Int { settings.concurrencyLimit - state.withLock(\.reservedTotal) }

    /// What becomes of asynchronous invocations of a function under a qualifier.
    package func eventInvokeSettings(_ name: String, qualifier: String?) -> EventInvokeSettings {
        state.withLock { $0.eventInvokeSettings(name, qualifier) }
    }

    package func mappings() -> [EventSourceMapping] {
        state.withLock { $0.mappings.values.map(\.mapping) }.sorted { $0.id < $1.id }
    }

    package func functionURLs() -> [FunctionURL] {
        state.withLock { state in state.functions.values.flatMap { $0.urls.values.map(\.url) } }
    }

    /// The function URL of an id.
    package func functionURL(_ id: String) -> FunctionURL? {
        state.withLock { state in
            state.urls[id].flatMap { state.functions[$0] }?.urls.values.first { $0.url.id == id }?.url
        }
    }

    /// Keeps the code and layers of a function where they are while instances use them.
    package func lease(_ function: DeployedFunction) -> [CodeLease] { shelves.lease(function) }

    // MARK: - Other parts of the node

    /// Sets what the catalogue asks of others.
    package func connect(_ change: @Sendable (inout CatalogHooks) -> Void) { surroundings.withLock { change(&$0.hooks) } }

    /// Hears of every change from now on, on the worker: short, and never waiting.
    package func observe(_ observer: @escaping @Sendable (CatalogEvent) -> Void) {
        surroundings.withLock { $0.observers.append(observer) }
    }

    /// Told after each change of whatever kind, of what observers do not hear as well: on the worker, never waiting.
    package func watch(_ watcher: @escaping @Sendable () -> Void) {
        surroundings.withLock { $0.watchers.append(watcher) }
    }

    /// `LastProcessingResult` of a mapping: "OK", "No records processed", "PROBLEM: ...".
    package func note(mapping id: String, result: String) { surroundings.withLock { $0.results[id] = result } }

    // MARK: - Tickets

    /// Whoever was given a path with its ticket may read what is behind it, without a signature, as with the
    /// service's own addresses of code. It holds as long as this process.
    func ticket(_ path: String) -> String {
        Hexadecimal.text(Array(HMAC<SHA256>.authenticationCode(for: Array(path.utf8), using: secret)))
    }

    func isTicket(_ text: String, of path: String) -> Bool {
        guard let code = Hexadecimal.bytes(text) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(path.utf8), using: secret)
    }
}
