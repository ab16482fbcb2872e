internal import Crypto
internal import HTTPServing

/// Reads along with a streamed answer: its size and digest for the ledger, and its bytes where they are kept.
final class StreamTap {
    private let stream: AnswerStream
    private let keeps: Bool
    private var digest = SHA256()
    private(set) var bytes = 0
    private(set) var contentType: String?
    /// What was streamed, where it is kept.
    private(set) var kept: [UInt8] = []

    init(_ stream: AnswerStream, keeps: Bool) {
        self.stream = stream
        self.keeps = keeps
    }

    var digestText: String { PayloadDigest.text(digest.finalize()) }

    /// What the instance is given in place of the caller's stream.
    func outlet(on loop: ServingLoop) -> AnswerStream {
        let bound = LoopBound(self, on: loop)
        return AnswerStream(
            begin: { head in
                bound.value.contentType = head.contentType
                bound.value.stream.begin(head.contentType)
            },
            part: { part in bound.value.take(part) })
    }

    private func take(_ part: [UInt8]) {
        bytes += part.count
        part.withUnsafeBytes { digest.update(bufferPointer: $0) }
        if keeps { kept += part }
        stream.part(part)
    }
}
