internal import AsyncHTTPClient
internal import NIOCore

/// The body of an answer in chunks, counted for the stall watch. One reader.
struct WebBody: Sendable {
    let body: HTTPClientResponse.Body
    let watch: StallWatch
    let authority: String
    private var iterator: Holder?

    // The iterator is not Sendable and stays in the one task that reads.
    private final class Holder: @unchecked Sendable {
        var iterator: HTTPClientResponse.Body.AsyncIterator
        init(_ iterator: HTTPClientResponse.Body.AsyncIterator) { self.iterator = iterator }
    }

    init(_ body: HTTPClientResponse.Body, _ watch: StallWatch, from authority: String) {
        self.body = body
        self.watch = watch
        self.authority = authority
    }

    /// The next chunk; nil at the end, which has come only when everything has that was promised.
    mutating func next() async throws(RegistryFailure) -> [UInt8]? {
        let holder = iterator ?? Holder(body.makeAsyncIterator())
        iterator = holder
        do {
            guard let buffer = try await holder.iterator.next() else { return nil }
            watch.count(buffer.readableBytes)
            return Array(buffer.readableBytesView)
        } catch {
            throw TransportErrors.failure(error, "read from \(authority)")
        }
    }
}
