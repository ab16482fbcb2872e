internal import Crypto
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

    /// `LastProcessingResult` of a mapping: "OK", "No records processed", "PROBLEM: ...".
    package func note(mapping id: String, result: String) { surroundings.withLock { $0.results[id] = result } }

    // MARK: - Tickets

    /// Whoever was given a path with its ticket may read what is behind it, without a signature, as with the
    /// service's own addresses of code. It holds as long as this process.
    func ticket(_ path: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(path.utf8), using: secret)
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// In a time that tells nothing of where they differ.
    static func areEqual(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
