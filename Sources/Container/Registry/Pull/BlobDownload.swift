internal import NIOHTTP1
internal import OCI
import Synchronization

/// One blob on its way here.
///
/// Invariants
/// 1. What has arrived is not asked for again as long as the registry goes on where it is asked to.
///    (test: `a blob that breaks off is taken up where it broke`)
/// 2. A registry that answers a range with something else costs a new beginning, never a wrong blob.
///    (tests: `a registry that ignores ranges is read from the start`, `a range that is not the one asked for is refused`)
/// 3. No more bytes are taken than the descriptor says. (test: `a blob longer than announced is cut off`)
struct BlobDownload: Sendable {
    /// Bytes between two events of progress.
    private static let eventBytes: Int = 512 << 10

    let client: RegistryClient
    let content: Descriptor
    let repository: Repository
    let sink: any BlobSink
    let progress: @Sendable (TransferEvent) async -> Void

    func run() async throws(RegistryFailure) {
        let pieces = try await receive()
        do throws(RegistryFailure) { try await sink.finish() } catch {
            // Put together from several answers it may be the seams: one more try in one piece.
            guard error.kind == .untrustworthy, pieces > 1 else { throw error }
            try await sink.restart()
            _ = try await receive()
            try await sink.finish()
        }
        await progress(TransferEvent(content, .done))
    }

    /// Gets all bytes; how many answers they came from.
    private func receive() async throws(RegistryFailure) -> Int {
        let pieces = Counter()
        let sink = sink
        try await client.retrying(
            progress: { await sink.count() },
            note: { failure in await progress(TransferEvent(content, .retrying(failure.message))) }
        ) { () async throws(RegistryFailure) in
            let offset = await sink.count()
            if offset == content.size, offset > 0 { return }
            if try await ask(from: offset) { pieces.add() }
        }
        return pieces.count
    }

    /// One answer's worth; whether any of it was kept.
    private func ask(from offset: Int) async throws(RegistryFailure) -> Bool {
        var request = WebRequest(.GET, client.address(repository, "blobs/\(content.digest)"))
        if offset > 0 { request.headers.append(("Range", "bytes=\(offset)-")) }
        return try await client.exchange(request, repository.registry, [repository.pullScope]) {
            response, watch async throws(RegistryFailure) in
            try await take(response, from: offset, watch)
        }
    }

    private func take(
        _ response: WebResponse, from offset: Int, _ watch: StallWatch
    ) async throws(RegistryFailure) -> Bool {
        var start = offset
        switch response.status {
        case 200:
            if offset > 0 { try await sink.restart() }
            start = 0
        case 206 where offset > 0:
            guard Self.rangeStart(response.header("content-range")) == offset else {
                try await sink.restart()
                throw lie("answers with another range than the one asked for")
            }
        case 416 where offset > 0:
            try await sink.restart()
            throw RegistryFailure(.busy, "get \(content.digest): the registry cannot go on at byte \(offset)")
        default: throw await RegistryAnswer.failure(response, "get the blob \(content.digest) of \(repository)")
        }
        if let length = response.length, length != content.size - start {
            throw lie("announces \(length) bytes where \(content.size - start) are expected")
        }
        try await read(response.body, from: start, watch)
        return true
    }

    private func read(_ body: WebBody, from start: Int, _ watch: StallWatch) async throws(RegistryFailure) {
        var body = body
        var count = start
        var told = start
        while let bytes = try await body.next() {
            count += bytes.count
            guard count <= content.size else {
                throw lie("sends more than the \(content.size) bytes of its descriptor")
            }
            watch.pause()
            defer { watch.resume() }
            try await sink.write(bytes)
            guard count - told >= Self.eventBytes || count == content.size else { continue }
            told = count
            await progress(TransferEvent(content, .moving(count)))
        }
        guard count == content.size else { throw lie("ends after \(count) of \(content.size) bytes") }
    }

    private func lie(_ what: String) -> RegistryFailure {
        RegistryFailure(.untrustworthy, "get the blob \(content.digest) of \(repository): the registry \(what)")
    }

    /// The first byte of "bytes 5-9/10", RFC 9110 section 14.4.
    static func rangeStart(_ header: String?) -> Int? {
        guard let header, header.hasPrefix("bytes ") else { return nil }
        return Int(header.dropFirst(6).prefix { $0 != "-" })
    }
}

/// A count that several tasks share.
private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}
