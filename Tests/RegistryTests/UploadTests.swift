import Images
import NIOHTTP1
import OCI
import Synchronization
import Testing

@testable import Registry

/// A registry that takes chunks, and whose connection breaks where the test says.
private final class ChunkTaker: Sendable {
    private struct State {
        var received: [UInt8] = []
        var isDone = false
    }

    private let state = Mutex(State())
    private let breaks: @Sendable (_ request: Int, _ received: Int) -> Int?
    private let count = Mutex(0)

    /// - Parameter breaks: of the nth PATCH, how many bytes arrive before the connection breaks; nil: all.
    init(_ breaks: @escaping @Sendable (_ request: Int, _ received: Int) -> Int?) { self.breaks = breaks }

    var received: [UInt8] { state.withLock { $0.isDone ? $0.received : [] } }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        switch request.method {
        case "HEAD": return FakeAnswer(status: 404)
        case "POST": return FakeAnswer(status: 202, headers: [("Location", "/v2/app/blobs/uploads/u")])
        case "PATCH": return chunk(request)
        case "GET":
            let count = state.withLock { $0.received.count }
            return FakeAnswer(
                status: 204, headers: [("Range", "0-\(max(count - 1, 0))"), ("Location", "/v2/app/blobs/uploads/u")])
        case "PUT":
            state.withLock { $0.isDone = true }
            return FakeAnswer(status: 201)
        default: return FakeAnswer(status: 405)
        }
    }

    private func chunk(_ request: FakeRequest) -> FakeAnswer {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return state.withLock { state in
            let start = request.headers.first(name: "content-range").flatMap { Int($0.prefix { $0 != "-" }) }
            guard start == state.received.count else { return FakeAnswer(status: 416) }
            guard let taken = breaks(number, state.received.count) else {
                state.received += request.body
                return FakeAnswer(status: 202, headers: [("Location", "/v2/app/blobs/uploads/u")])
            }
            state.received += request.body.prefix(taken)
            return FakeAnswer(status: 503)
        }
    }
}

@Suite struct `Uploads in chunks` {
    private let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }

    private func upload(_ taker: ChunkTaker) async throws -> (failure: RegistryFailure?, requests: [FakeRequest]) {
        let content = Descriptor.blob(bytes)
        return try await FakeRegistry.serving({ taker.answer($0) }) { registry in
            try await registry.client(chunkBytes: 30_000).using { client in
                let found = await failure {
                    try await client.upload(content, from: MemorySource(bytes: bytes), to: registry.app)
                }
                return (found, registry.requests)
            }
        }
    }

    @Test func `an upload that breaks off goes on where the registry says that it is`() async throws {
        // The second chunk breaks in the middle, the third at its very beginning.
        let taker = ChunkTaker { number, _ in [2: 12_345, 3: 0][number] }
        let (failure, requests) = try await upload(taker)
        #expect(failure == nil, "\(failure?.message ?? "")")
        #expect(taker.received == bytes)
        let ranges = requests.filter { $0.method == "PATCH" }.compactMap { $0.headers.first(name: "content-range") }
        #expect(
            ranges == [
                "0-29999", "30000-59999", "42345-72344", "42345-72344", "72345-99999",
            ])
    }

    @Test func `an upload that brings nothing any more is given up`() async throws {
        let taker = ChunkTaker { number, _ in number > 1 ? 0 : nil }
        let (failure, requests) = try await upload(taker)
        #expect(failure?.kind == .busy)
        #expect(requests.count(where: { $0.method == "PATCH" }) == 4)
        #expect(taker.received.isEmpty)
    }
}
