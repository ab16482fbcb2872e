/// The functions of a node: one pool for each program, made by its definition or its first call.
///
/// Invariants (with their tests in FunctionRegistryTests):
/// 1. Calls with equal names and programs share one pool. (`equal programs share a pool`)
/// 2. A defined name belongs to one program: what else was called by it is drained, and calls that were accepted
///    are served to their end. (`a new program under a name replaces the old one, which ends its work`)
/// 3. There are at most `functionsLimit` functions; one that has shrunk to nothing makes room for another.
///    (`a function that has shrunk to nothing makes room`)
package actor FunctionRegistry {
    /// Each function keeps a pool's books and usually a copy: more than this is a caller who makes up definitions.
    package static let functionsLimit = 1000

    /// Checks what a definition wants started and plans it.
    package typealias ProviderMaker =
        @Sendable (FunctionDefinition) async throws(PoolError) -> any InstanceProvider

    private struct Function {
        var definition: FunctionDefinition
        var worker: StandbyWorker
    }

    private let makeProvider: ProviderMaker
    private let clock: any PoolClock
    private let limit: Int
    /// Those whose providers are being made.
    private var making: [FunctionDefinition.Key: Task<Result<StandbyWorker, PoolError>, Never>] = [:]
    private var functions: [FunctionDefinition.Key: Function] = [:]
    /// Replaced and removed ones that still serve, by a number.
    private var leaving: [Int: Function] = [:]
    private var lastLeaving = 0
    private var isClosed = false

    package init(
        limit: Int = functionsLimit, clock: any PoolClock = MachineClock(), makeProvider: @escaping ProviderMaker
    ) {
        self.limit = limit
        self.clock = clock
        self.makeProvider = makeProvider
    }

    /// Makes the pool of a function and starts its minimum of copies. Other programs of that name are drained.
    ///
    /// - Throws: `PoolError` of kind `badDefinition`, `tooManyFunctions`, `closed`, or what the provider's maker throws.
    package func define(_ definition: FunctionDefinition) async throws(PoolError) {
        let worker = try await worker(of: definition)
        for key in functions.keys where key.name == definition.name && key != definition.key {
            guard let former = functions.removeValue(forKey: key) else { continue }
            Task { await self.retire(former) }
        }
        await worker.open()
    }

    /// Takes an instance of a function for one call, making the function's pool if it has none.
    ///
    /// - Throws: `PoolError`, which says why there is no instance.
    package func call(_ definition: FunctionDefinition) async throws(PoolError) -> AssignedInstance {
        while true {
            do { return try await worker(of: definition).call() } catch where error.kind == .closed && !isClosed {
                // The pool was replaced or made room between being found and being called: it has a successor.
            }
        }
    }

    /// Every function, by name; those that are being drained last.
    package func list() async -> [FunctionStatus] {
        let present = functions.values.sorted {
            ($0.definition.name, $0.definition.program) < ($1.definition.name, $1.definition.program)
        }
        let former = leaving.sorted { $0.key < $1.key }.map(\.value)
        var list: [FunctionStatus] = []
        for (function, isDraining) in present.map({ ($0, false) }) + former.map({ ($0, true) }) {
            list.append(
                FunctionStatus(
                    definition: function.definition, counts: await function.worker.counts, isDraining: isDraining))
        }
        return list
    }

    /// Removes what is called by a name: it takes no more calls, and this returns when its last call is over.
    ///
    /// - Throws: `PoolError` of kind `notFound`.
    package func drain(name: String) async throws(PoolError) {
        let named = functions.filter { $0.key.name == name }
        guard !named.isEmpty else {
            throw PoolError(.notFound, "remove function \(name): there is none of that name")
        }
        for key in named.keys { functions[key] = nil }
        await withTaskGroup(of: Void.self) { group in
            for function in named.values { group.addTask { await self.retire(function) } }
        }
    }

    /// Takes no more calls, refuses those that wait and stops all copies that serve nobody. Those in use run on.
    package func close() async {
        isClosed = true
        let all = functions.values.map(\.worker) + leaving.values.map(\.worker)
        await withTaskGroup(of: Void.self) { group in
            for worker in all { group.addTask { await worker.close() } }
        }
    }

    private func worker(of definition: FunctionDefinition) async throws(PoolError) -> StandbyWorker {
        if isClosed { throw PoolError(.closed, "call \(definition.name): the node is closing") }
        if let function = functions[definition.key] {
            if function.definition.pool != definition.pool {
                try definition.pool.validate()
                functions[definition.key]!.definition = definition
                try await function.worker.configure(definition.pool)
            }
            return function.worker
        }
        if let made = making[definition.key] { return try await made.value.get() }
        let task = Task { () async -> Result<StandbyWorker, PoolError> in
            do throws(PoolError) { return .success(try await self.make(definition)) } catch { return .failure(error) }
        }
        making[definition.key] = task
        return try await task.value.get()
    }

    private func make(_ definition: FunctionDefinition) async throws(PoolError) -> StandbyWorker {
        defer { making[definition.key] = nil }
        try definition.pool.validate()
        if functions.count + making.count > limit { try await makeRoom(for: definition) }
        let provider = try await makeProvider(definition)
        let worker = try StandbyWorker(program: definition.name, definition.pool, provider, clock: clock)
        if isClosed { throw PoolError(.closed, "call \(definition.name): the node is closing") }
        functions[definition.key] = Function(definition: definition, worker: worker)
        return worker
    }

    private func makeRoom(for definition: FunctionDefinition) async throws(PoolError) {
        for (key, function) in functions where await function.worker.isEmpty {
            // It may have gone while its worker was asked.
            guard functions.removeValue(forKey: key) != nil else { continue }
            Task { await self.retire(function) }
            return
        }
        throw PoolError(
            .tooManyFunctions, "make function \(definition.name): there are \(limit) already. Remove one first.")
    }

    private func retire(_ function: Function) async {
        lastLeaving += 1
        let number = lastLeaving
        leaving[number] = function
        await function.worker.drain()
        leaving[number] = nil
    }
}
