import Synchronization

@testable import Functions

/// Takes a stream and keeps what came.
final class Parts: Sendable {
    private let all = Mutex<[String]>([])

    var told: [String] { all.withLock { $0 } }

    var stream: AnswerStream {
        AnswerStream(
            begin: { head in self.all.withLock { $0.append(head.contentType) } },
            part: { bytes in self.all.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) } })
    }
}
