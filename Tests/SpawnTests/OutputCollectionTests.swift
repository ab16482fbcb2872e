import Testing

@testable import Spawn

struct OutputCollectionTests {
    private typealias Outcome = ProgramOutput.Iterator.Outcome

    /// Collects what these reads give; after `end` of them the program has ended.
    private func collect(_ outcomes: [Outcome], end: Int, limit: Int = 1000) async throws -> (bytes: [UInt8]?, waits: Int) {
        var (reads, waits) = (0, 0)
        let bytes = try await OutputCollection.collect(limit: limit, hasEnded: { reads >= end }) {
            () throws(SpawnError) -> Outcome in
            defer { reads += 1 }
            return reads < outcomes.count ? outcomes[reads] : .wouldWait
        } wait: { () async throws(SpawnError) in
            waits += 1
        }
        return (bytes, waits)
    }

    @Test func `what is written between a look and the end is collected`() async throws {
        // The first read finds nothing; before anybody looks again the program has written and ended.
        let collected = try await collect([.wouldWait, .bytes([1, 2])], end: 1)
        #expect(collected.bytes == [1, 2])
    }

    @Test func `a stream that a descendant keeps open ends with the program`() async throws {
        let collected = try await collect([.bytes([1]), .wouldWait, .bytes([2])], end: 3)
        #expect(collected.bytes == [1, 2] && collected.waits == 1)
    }

    @Test func `the end of a stream is not waited for twice`() async throws {
        let collected = try await collect([.wouldWait, .bytes([1]), .end], end: .max)
        #expect(collected.bytes == [1] && collected.waits == 1)
    }

    @Test func `a descendant that goes on writing is not read forever`() async throws {
        let chunk = [UInt8](repeating: 7, count: 1 << 16)
        let collected = try await collect(Array(repeating: .bytes(chunk), count: 100), end: 0, limit: .max)
        #expect(collected.bytes?.count == OutputCollection.drainBytesLimit + chunk.count)
    }

    @Test func `more than the limit is none`() async throws {
        #expect(try await collect([.bytes([1, 2]), .bytes([3])], end: .max, limit: 2).bytes == nil)
    }
}
