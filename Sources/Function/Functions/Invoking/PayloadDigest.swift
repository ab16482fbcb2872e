internal import Crypto
internal import HTTPServing
internal import JSON
internal import Linux

/// SHA-256 of payloads and answers, as lower-case hexadecimal digits.
enum PayloadDigest {
    /// What is longer is digested on another thread: at a gigabyte a second this is a quarter of a millisecond.
    static let longestAtOnce = 256 << 10

    static func of(_ bytes: [UInt8]) -> String { text(SHA256.hash(data: bytes)) }

    static func text(_ digest: SHA256Digest) -> String { Hexadecimal.text(Array(digest)) }

    /// Digests both (what is nil gives ""), on the loop when they are short, and tells on the loop.
    static func both(
        _ payload: [UInt8]?, _ answer: [UInt8]?, on loop: ServingLoop, _ then: @escaping (String, String) -> Void
    ) {
        guard (payload?.count ?? 0) + (answer?.count ?? 0) > longestAtOnce else { return then(of(payload), of(answer)) }
        let bound = LoopBound(then, on: loop)
        Task {
            // Too much work for other threads as well: then it is done here.
            let digests =
                (try? await BlockingPool.shared.run { (of(payload), of(answer)) }) ?? (of(payload), of(answer))
            loop.execute { bound.value(digests.0, digests.1) }
        }
    }

    private static func of(_ bytes: [UInt8]?) -> String { bytes.map { of($0) } ?? "" }
}
