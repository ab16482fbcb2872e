import JSON
import KubeObjects
import Linux

/// Which pods go first when there are too many (`controller.ActivePodsWithRanks`): those of least use, and of equal ones
/// the younger.
struct PodRanking {
    let now: Timestamp

    static let costAnnotation = "controller.kubernetes.io/pod-deletion-cost"

    func sorted(_ pods: [KubeObject]) -> [KubeObject] {
        pods.map { ($0, key($0)) }.sorted { Self.precedes($0.1, $1.1) }.map(\.0)
    }

    private struct Key {
        var isAssigned: Bool
        var phase: Int
        var isReady: Bool
        var cost: Int64
        var readyAge: Int
        var restarts: Int64
        var age: Int
        var uid: String
    }

    private static let phases = ["": 0, "Pending": 0, "Unknown": 1, "Running": 2]

    private func key(_ pod: KubeObject) -> Key {
        let statuses = pod.status["containerStatuses"]?.array ?? []
        return Key(
            isAssigned: !(pod.spec["nodeName"]?.string ?? "").isEmpty, phase: Self.phases[pod.phase] ?? 0,
            isReady: pod.isReadyPod, cost: pod.annotation(Self.costAnnotation).flatMap { Int64($0) } ?? 0,
            readyAge: logarithm(pod.readySince), restarts: statuses.map { $0["restartCount"]?.integer ?? 0 }.max() ?? 0,
            age: logarithm(pod.created), uid: pod.uid)
    }

    /// Ages that differ by less than a factor of two count as equal: then chance, that is the uid, decides, and not
    /// always the youngest go. An unknown age is the least.
    private func logarithm(_ moment: Timestamp?) -> Int {
        guard let moment else { return -1 }
        let age = max(1, now.nanoseconds - moment.nanoseconds)
        return Int.bitWidth - 1 - age.leadingZeroBitCount
    }

    private static func precedes(_ a: Key, _ b: Key) -> Bool {
        if a.isAssigned != b.isAssigned { return !a.isAssigned }
        if a.phase != b.phase { return a.phase < b.phase }
        if a.isReady != b.isReady { return !a.isReady }
        if a.cost != b.cost { return a.cost < b.cost }
        if a.readyAge != b.readyAge { return a.readyAge < b.readyAge }
        if a.restarts != b.restarts { return a.restarts > b.restarts }
        if a.age != b.age { return a.age < b.age }
        return a.uid < b.uid
    }
}
