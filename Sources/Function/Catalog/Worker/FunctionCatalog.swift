internal import Crypto
package import Lambda
internal import Linux
package import Store
internal import Synchronization

/// The functions of a node as they are declared: the control plane of the Lambda API.
///
/// Requests that change something are decided and written one after the other by one worker; those that read, and
/// `resolve`, take the state as it is, on any thread.
///
/// Invariants
/// 1. A change is on the disk, in one transaction, before it is answered and before anybody sees it.
///    (test: `a write that fails leaves everything as it was`)
/// 2. Requests are decided one after the other: two that contradict each other do not both succeed.
///    (test: `of many that create one function one succeeds`)
/// 3. Observers hear of every change once, in order, after it can be seen. (test: `observers hear of what has changed`)
package final class FunctionCatalog: Sendable {
    typealias Write = @Sendable ([CatalogChange]) async throws(StoreFailure) -> Void

    package let settings: CatalogSettings
    let state: Mutex<CatalogState>
    let surroundings = Mutex(Surroundings())
    let write: Write
    let images: any LocalImages
    let shelves: CodeShelves
    let secret = SymmetricKey(size: .bits256)
    private let jobs: AsyncStream<Job>.Continuation

    struct Surroundings {
        var hooks = CatalogHooks()
        var observers: [@Sendable (CatalogEvent) -> Void] = []
        var watchers: [@Sendable () -> Void] = []
        var results: [String: String] = [:]
        var imageLeases: [String: any LocalImageLease] = [:]
    }

    private struct Job: Sendable {
        var run: @Sendable () async -> Void
    }

    /// Opens the catalogue of a node: what is declared is read, and what a node that died has left is removed.
    ///
    /// - Parameter directory: STATE/functions; `code` and `layers` are made in it.
    package static func open(
        _ database: StateDatabase, directory: String, settings: CatalogSettings, images: any LocalImages = NoImages()
    ) async throws(LambdaFailure) -> FunctionCatalog {
        let account = settings.account
        let changes: [CatalogChange]
        do throws(StoreFailure) {
            changes = try await database.read { transaction throws(StoreFailure) in try CatalogTables.read(transaction, account) }
        } catch { throw .service("The functions of this node could not be read: \(error)") }
        return try await FunctionCatalog(changes, directory: directory, settings: settings, images: images) {
            changes throws(StoreFailure) in
            try await database.write { transaction throws(StoreFailure) in try CatalogTables.write(changes, transaction) }
        }
    }

    init(
        _ changes: [CatalogChange], directory: String, settings: CatalogSettings, images: any LocalImages,
        write: @escaping Write
    ) async throws(LambdaFailure) {
        let shelves = try await CodeShelves.open(directory)
        var state = CatalogState(settings: settings, places: shelves.places)
        for change in changes { state.apply(change) }
        let keys = Array(state.uses.keys)
        self.settings = settings
        self.state = Mutex(state)
        self.write = write
        self.images = images
        self.shelves = shelves
        let (stream, jobs) = AsyncStream.makeStream(of: Job.self)
        self.jobs = jobs
        Task.detached { for await job in stream { await job.run() } }
        shelves.keep(keys)
        try await shelves.sweep()
        for case .image(let id) in keys {
            // A function whose image is gone stays declared, and says so when it is called.
            guard let lease = try? await images.hold(id) else { continue }
            surroundings.withLock { $0.imageLeases[id] = lease }
        }
    }

    deinit { jobs.finish() }

    // MARK: - For the door

    /// Does what a request asks for.
    package func perform(
        _ operation: LambdaOperation, _ input: OperationInput
    ) async throws(LambdaFailure) -> OperationOutput {
        let prepared = try await prepare(operation, input)
        guard operation.changes else {
            var moment = self.moment
            let decision = try state.withLock(\.self).decide(operation, prepared.request, &moment)
            return decision.output(operation)
        }
        let result = await onWorker { await self.change(together: [(operation, prepared)]) }
        switch result {
        case nil: throw .service("The node is stopping.")
        case .success(let outputs): return outputs[0]
        case .failure(let failure): throw failure.failure
        }
    }

    /// - Returns: nil when the worker has ended.
    func onWorker<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value? {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Value?, Never>) in
            let job = Job { continuation.resume(returning: await body()) }
            if case .terminated = jobs.yield(job) { continuation.resume(returning: nil) }
        }
    }

    /// The archive behind a path of /forkless/v1/code/, as a file; nil when there is none, or the ticket is wrong.
    package func archive(path: String, ticket: String?) -> String? {
        guard let ticket, isTicket(ticket, of: path) else { return nil }
        let parts = path.split(separator: "/")
        guard parts.count == 5, parts[0...2] == ["forkless", "v1", "code"] else { return nil }
        return shelves.archive(String(parts[3]), String(parts[4]))
    }
}
