internal import NIOHTTP1
internal import OCI
import Synchronization

/// One blob on its way to a registry.
///
/// Invariants
/// 1. What the registry has is not sent. (test: `an image goes there and comes back byte for byte`)
/// 2. A long blob goes in chunks, and after a failure on from where the registry says that it is.
///    (tests: `an image goes there and comes back byte for byte`, `an upload that breaks off goes on where the registry says that it is`)
struct BlobUpload: Sendable {
    let client: RegistryClient
    let content: Descriptor
    let repository: Repository
    let source: any BlobSource
    /// Another repository of the same registry that may have the blob.
    let neighbour: String?
    let progress: @Sendable (TransferEvent) async -> Void

    private enum Opening: Sendable {
        case mounted
        case upload(WebAddress)
    }

    /// Where an upload stands.
    private struct Session: Sendable {
        var address: WebAddress
        var offset: Int = 0
    }

    func run() async throws(RegistryFailure) {
        if try await client.holds(content, in: repository) {
            await progress(TransferEvent(content, .present))
            return
        }
        let happening = content.size <= client.settings.chunkBytes ? try await sendWhole() : try await sendInChunks()
        await progress(TransferEvent(content, happening))
    }

    private func note(_ failure: RegistryFailure) async {
        await progress(TransferEvent(content, .retrying(failure.message)))
    }

    /// A short blob: after a failure all of it again.
    private func sendWhole() async throws(RegistryFailure) -> TransferEvent.Happening {
        try await client.retrying(note: { await note($0) }) { () async throws(RegistryFailure) in
            switch try await open() {
            case .mounted: return .mounted
            case .upload(let address):
                try await finish(at: address, body: .blob(source, offset: 0, length: content.size))
                return .done
            }
        }
    }

    /// A long blob: each step has tries of its own, and none begins from the start.
    private func sendInChunks() async throws(RegistryFailure) -> TransferEvent.Happening {
        let opening = try await client.retrying(note: { await note($0) }) { () async throws(RegistryFailure) in
            try await open()
        }
        guard case .upload(let address) = opening else { return .mounted }
        let end = try await sendChunks(to: address)
        let isRepeat = Mutex(false)
        try await client.retrying(note: { await note($0) }) { () async throws(RegistryFailure) in
            // Of a try before this one perhaps only the answer was lost.
            if isRepeat.withLock({ $0 }), try await client.holds(content, in: repository) { return }
            isRepeat.withLock { $0 = true }
            try await finish(at: end, body: .none)
        }
        return .done
    }

    /// Asks for a place, or for the blob from the neighbour.
    private func open() async throws(RegistryFailure) -> Opening {
        var address = client.address(repository, "blobs/uploads/")
        if let neighbour { address = address.adding([("mount", content.digest.description), ("from", neighbour)]) }
        return try await client.exchange(WebRequest(.POST, address), repository.registry, scopes) {
            response, _ async throws(RegistryFailure) in
            switch response.status {
            case 201 where neighbour != nil: return .mounted
            case 202: return .upload(try place(response))
            default: throw await RegistryAnswer.failure(response, "begin to send \(content.digest) to \(repository)")
            }
        }
    }

    private func sendChunks(to address: WebAddress) async throws(RegistryFailure) -> WebAddress {
        var session = Session(address: address)
        while session.offset < content.size {
            let before = session
            let isRepeat = Mutex(false)
            session = try await client.retrying(note: { await note($0) }) { () async throws(RegistryFailure) in
                // After a failure nobody but the registry knows how much has arrived.
                let failedBefore = isRepeat.withLock { isRepeat in
                    defer { isRepeat = true }
                    return isRepeat
                }
                return try await send(chunkOf: failedBefore ? try await ask(before) : before)
            }
            await progress(TransferEvent(content, .moving(session.offset)))
        }
        return session.address
    }

    private func send(chunkOf session: Session) async throws(RegistryFailure) -> Session {
        let count = min(content.size - session.offset, client.settings.chunkBytes)
        guard count > 0 else { return session }
        var request = WebRequest(.PATCH, session.address)
        request.headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Range", "\(session.offset)-\(session.offset + count - 1)"),
        ]
        request.body = .blob(source, offset: session.offset, length: count)
        return try await client.exchange(request, repository.registry, scopes) {
            response, _ async throws(RegistryFailure) in
            guard response.status == 202 else {
                throw await RegistryAnswer.failure(response, "send a chunk of \(content.digest) to \(repository)")
            }
            return Session(address: try place(response), offset: session.offset + count)
        }
    }

    /// How far the registry has got.
    private func ask(_ session: Session) async throws(RegistryFailure) -> Session {
        try await client.exchange(WebRequest(.GET, session.address), repository.registry, scopes) {
            response, _ async throws(RegistryFailure) in
            guard response.status == 204 || response.status == 202 else {
                throw await RegistryAnswer.failure(response, "ask how much of \(content.digest) has arrived")
            }
            let end = response.header("range")?.split(separator: "-").last.flatMap { Int($0) } ?? 0
            // "0-0" stands for nothing and for one byte: nothing is what can be put right either way.
            let offset = end == 0 ? 0 : end + 1
            guard offset <= content.size else {
                throw RegistryFailure(
                    .untrustworthy, "\(repository.registry) says it has \(offset) of \(content.size) bytes")
            }
            return Session(address: (try? place(response)) ?? session.address, offset: offset)
        }
    }

    private func finish(at address: WebAddress, body: WebRequest.Body) async throws(RegistryFailure) {
        var request = WebRequest(.PUT, address.adding([("digest", content.digest.description)]))
        request.headers = [("Content-Type", "application/octet-stream")]
        if case .none = body { request.body = .bytes([]) } else { request.body = body }
        try await client.exchange(request, repository.registry, scopes) { response, _ async throws(RegistryFailure) in
            guard response.status == 201 || response.status == 204 else {
                throw await RegistryAnswer.failure(response, "send \(content.digest) to \(repository)")
            }
        }
    }

    private func place(_ response: WebResponse) throws(RegistryFailure) -> WebAddress {
        guard let location = response.header("location"), let address = response.address.resolving(location) else {
            throw RegistryFailure(.untrustworthy, "\(repository.registry) names no place to send \(content.digest) to")
        }
        return address
    }

    private var scopes: [String] {
        var scopes = [repository.pushScope]
        if let neighbour { scopes.append("repository:\(neighbour):pull") }
        return scopes
    }
}
