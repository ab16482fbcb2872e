package import Lambda
internal import Linux
internal import Store
internal import Synchronization

/// One of several requests that are done together.
package struct CatalogStep: Sendable {
    package var operation: LambdaOperation
    package var input: OperationInput

    package init(_ operation: LambdaOperation, _ input: OperationInput) {
        self.operation = operation
        self.input = input
    }
}

/// Which of several requests was refused, and why. None of them was done.
package struct CatalogStepFailure: Error, Hashable, Sendable {
    /// Among the steps, from 0; nil when all of them could not be written.
    package var index: Int?
    package var failure: LambdaFailure

    package init(index: Int?, failure: LambdaFailure) {
        self.index = index
        self.failure = failure
    }
}

/// Several requests as one change.
///
/// Invariants
/// 1. All of them are done, in one transaction, or none; each is decided on what those before it have made.
///    (test: `requests that are done together are all done or none`)
/// 2. What is checked only changes nothing. (test: `requests that are checked change nothing`)
extension FunctionCatalog {
    /// Does what several requests ask for, in their order.
    package func perform(together steps: [CatalogStep]) async throws(CatalogStepFailure) {
        var prepared: [(operation: LambdaOperation, prepared: Prepared)] = []
        for (index, step) in steps.enumerated() {
            do throws(LambdaFailure) { prepared.append((step.operation, try await prepare(step.operation, step.input))) } catch {
                throw CatalogStepFailure(index: index, failure: error)
            }
        }
        let ready = prepared
        let result = await onWorker { await self.change(together: ready).map { _ in } }
        try (result ?? .failure(CatalogStepFailure(index: nil, failure: .service("The node is stopping.")))).get()
    }

    /// Whether they would be done, but for what only making their code ready shows.
    package func check(together steps: [CatalogStep]) throws(CatalogStepFailure) {
        var state = state.withLock(\.self)
        var moment = self.moment
        for (index, step) in steps.enumerated() {
            do throws(LambdaFailure) {
                let request = CatalogRequest(step.input, code: try Self.guess(step))
                for change in try state.decide(step.operation, request, &moment).changes { state.apply(change) }
            } catch { throw CatalogStepFailure(index: index, failure: error) }
        }
    }

    private static func guess(_ step: CatalogStep) throws(LambdaFailure) -> CodeRecord? {
        switch try CodeMaking.source(step.operation, step.input.body) {
        case nil: return nil
        case .zip(let bytes):
            let (digest, hex) = CodeShelf.names(bytes)
            return CodeRecord(kind: .zip(directory: hex), digest: digest, size: bytes.count, unpackedSize: 0)
        case .image(let uri):
            return CodeRecord(kind: .image(id: uri, uri: uri, resolvedURI: uri), digest: "", size: 0, unpackedSize: 0)
        }
    }

    /// `CodeSha256` of an archive.
    package static func digest(ofArchive bytes: [UInt8]) -> String { CodeShelf.names(bytes).digest }

    /// On the worker.
    func change(
        together steps: [(operation: LambdaOperation, prepared: Prepared)]
    ) async -> Result<[OperationOutput], CatalogStepFailure> {
        let before = state.withLock(\.self)
        var after = before
        var changes: [CatalogChange] = []
        var outputs: [OperationOutput] = []
        var moment = self.moment
        for (index, step) in steps.enumerated() {
            do throws(LambdaFailure) {
                let decision = try after.decide(step.operation, step.prepared.request, &moment)
                for change in decision.changes { after.apply(change) }
                changes += decision.changes
                outputs.append(decision.output(step.operation))
            } catch { return .failure(CatalogStepFailure(index: index, failure: error)) }
        }
        guard !changes.isEmpty else { return .success(outputs) }
        do throws(StoreFailure) { try await write(changes) } catch {
            let names = steps.map(\.operation.rawValue).joined(separator: ", ")
            let what = error.kind == .full ? "the disk is full. Make room, then try again" : error.description
            return .failure(
                CatalogStepFailure(
                    index: nil, failure: .service("\(names) could not be recorded, and nothing was changed: \(what).")))
        }
        let made = after
        state.withLock { $0 = made }
        settle(before, after, steps.map(\.prepared))
        let events = CatalogEvent.events(changes, before, after)
        let (observers, watchers) = surroundings.withLock { ($0.observers, $0.watchers) }
        for event in events { for observer in observers { observer(event) } }
        for watcher in watchers { watcher() }
        return .success(outputs)
    }
}
