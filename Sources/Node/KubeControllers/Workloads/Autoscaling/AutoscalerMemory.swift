import Linux
import Synchronization

/// What autoscalers remember between two looks, as upstream's do: what was recommended, and how the size was changed. It
/// is kept here, not in the objects; a node that starts anew begins without.
///
/// Invariant: of what is older than any window nothing is kept. (test: `what lies behind all windows is forgotten`)
final class AutoscalerMemory: Sendable {
    struct Record: Sendable {
        var recommendations: [(replicas: Int64, at: Timestamp)] = []
        /// Pods added and taken away.
        var changes: [(pods: Int64, at: Timestamp)] = []
    }

    /// The longest that validation lets a window or period be.
    static let longest = Duration.seconds(3600)

    private let records = Mutex<[String: Record]>([:])

    func record(_ uid: String, _ now: Timestamp) -> Record {
        records.withLock { records in
            var record = records[uid] ?? Record()
            let border = now.adding(.zero - Self.longest)
            record.recommendations.removeAll { $0.at < border }
            record.changes.removeAll { $0.at < border }
            records[uid] = record
            return record
        }
    }

    func recommend(_ uid: String, _ replicas: Int64, _ now: Timestamp) {
        records.withLock { $0[uid, default: Record()].recommendations.append((replicas, now)) }
    }

    func change(_ uid: String, by pods: Int64, _ now: Timestamp) {
        records.withLock { $0[uid, default: Record()].changes.append((pods, now)) }
    }

    /// Keeps only what belongs to autoscalers that are there.
    func keep(_ uids: Set<String>) {
        records.withLock { $0 = $0.filter { uids.contains($0.key) } }
    }
}
