internal import Lambda
internal import Linux
internal import Synchronization

// How a request that changes something goes through the worker.
extension FunctionCatalog {
    /// A request with its code made ready, and what keeps that until it is declared.
    struct Prepared: Sendable {
        var request: CatalogRequest
        var codeLease: CodeLease?
        var imageLease: (any LocalImageLease)?
    }

    /// Makes the code of a request ready, once it is known that the rest of it would do.
    func prepare(_ operation: LambdaOperation, _ input: OperationInput) async throws(LambdaFailure) -> Prepared {
        var prepared = Prepared(request: CatalogRequest(input))
        switch try CodeMaking.source(operation, input.body) {
        case nil: return prepared
        case .zip(let bytes):
            let (digest, hex) = CodeShelf.names(bytes)
            let guess = CodeRecord(kind: .zip(directory: hex), digest: digest, size: bytes.count, unpackedSize: 0)
            try check(operation, CatalogRequest(input, code: guess))
            let shelf = operation == .publishLayerVersion ? shelves.layers : shelves.code
            (prepared.request.code, prepared.codeLease) = try await shelf.put(bytes)
        case .image(let uri):
            let guess = CodeRecord(
                kind: .image(id: uri, uri: uri, resolvedURI: uri), digest: "", size: 0, unpackedSize: 0)
            try check(operation, CatalogRequest(input, code: guess))
            let image = try await images.resolve(uri)
            prepared.request.code = CodeRecord(
                kind: .image(id: image.id, uri: uri, resolvedURI: Self.resolvedURI(uri, image.digest)),
                digest: String(image.digest.split(separator: ":").last ?? ""), size: image.size, unpackedSize: 0)
            prepared.imageLease = image.lease
        }
        // Archives and their base64 have megabytes, which nobody needs any more.
        prepared.request.forgetArchive()
        return prepared
    }

    private func check(_ operation: LambdaOperation, _ request: CatalogRequest) throws(LambdaFailure) {
        var moment = self.moment
        _ = try state.withLock(\.self).decide(operation, request, &moment)
    }

    /// NAME@sha256:...
    private static func resolvedURI(_ uri: String, _ digest: String) -> String {
        var name = uri.prefix { $0 != "@" }
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") { name = name[..<colon] }
        return "\(name)@\(digest)"
    }

    /// Keeps what is referred to now, and lets go of what is no longer.
    func settle(_ before: CatalogState, _ after: CatalogState, _ prepared: [Prepared]) {
        let (old, new) = (before.uses, after.uses)
        for key in new.keys where old[key] == nil {
            if case .image(let id) = key, let lease = prepared.lazy.compactMap(\.imageLease).first {
                surroundings.withLock { $0.imageLeases[id] = lease }
            }
            shelves.keep([key])
        }
        for key in old.keys where new[key] == nil {
            // The lease ends outside of the lock: whoever made it may call back.
            if case .image(let id) = key { _ = surroundings.withLock { $0.imageLeases.removeValue(forKey: id) } }
            shelves.discard(key)
        }
        let gone = Set(before.mappings.keys).subtracting(after.mappings.keys)
        if !gone.isEmpty { surroundings.withLock { state in for id in gone { state.results[id] = nil } } }
    }

    var moment: Moment {
        let surroundings = surroundings.withLock { ($0.hooks, $0.results) }
        var moment = Moment(now: Clock.now(), chance: SystemRandomNumberGenerator(), hooks: surroundings.0)
        moment.processingResults = surroundings.1
        moment.ticket = { "\($0)?ticket=\(self.ticket($0))" }
        return moment
    }
}

extension Decision {
    func output(_ operation: LambdaOperation) -> OperationOutput {
        OperationOutput(status: status ?? operation.status, body: body)
    }
}

extension LambdaOperation {
    /// Whether it may change something.
    var changes: Bool { !rawValue.hasPrefix("Get") && !rawValue.hasPrefix("List") }
}
