internal import Synchronization

/// What was told about objects that wait for something: events come once for each state, though decisions are made again and
/// again.
final class OnceTold: Sendable {
    private let told = Mutex<[String: String]>([:])

    /// Whether the sentence about the object is another than the last one.
    func isNews(_ sentence: String, about uid: String) -> Bool {
        told.withLock { $0.updateValue(sentence, forKey: uid) != sentence }
    }

    func forget(_ uid: String) { told.withLock { $0[uid] = nil } }
}
