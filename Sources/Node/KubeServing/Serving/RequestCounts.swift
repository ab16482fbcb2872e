internal import KubeObjects
package import Metrics
internal import Synchronization

/// Requests to the Kubernetes API by verb and status, counted as they are answered.
package final class RequestCounts: MetricSource, Sendable {
    private struct Key: Hashable {
        var verb: String
        var code: Int
    }

    private struct State {
        var answers: [Key: Int] = [:]
        var durations: [String: DurationCounts] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter nanoseconds: until the head of the answer was known: a watch lasts as long as its client likes.
    func count(_ verb: String, _ code: Int, nanoseconds: Int) {
        state.withLock { state in
            state.answers[Key(verb: verb, code: code), default: 0] += 1
            state.durations[verb, default: DurationCounts()].add(microseconds: nanoseconds / 1000)
        }
    }

    package func metrics() async -> [MetricFamily] {
        let (answers, durations) = state.withLock { ($0.answers, $0.durations) }
        return [
            MetricFamily(
                "forkless_kubernetes_requests_total", .counter,
                help: "Requests to the Kubernetes API that were answered, by verb and status; 101 for streams of pods.",
                answers.sorted { ($0.key.verb, $0.key.code) < ($1.key.verb, $1.key.code) }.map {
                    MetricSample(["verb": $0.key.verb, "code": "\($0.key.code)"], $0.value)
                }),
            MetricFamily(
                "forkless_kubernetes_request_duration_seconds", .histogram,
                help: "From a request's arrival until its answer, or the head of one in parts, was known.",
                durations.sorted { $0.key < $1.key }.map { MetricSample(["verb": $0.key], $0.value) }),
        ]
    }

    /// The verb as rules of access name it, from the method and the shape of the path.
    static func verb(_ request: APIRequest) -> String {
        let path = request.path.filter { !$0.isEmpty }
        let watches = request.query.contains { $0.name == "watch" && ["true", "1", ""].contains($0.value) }
        let isOne = namesOne(path)
        switch request.method {
        case "GET", "HEAD": return isOne == nil ? "get" : watches ? "watch" : isOne! ? "get" : "list"
        case "POST": return "create"
        case "PUT": return "update"
        case "PATCH": return "patch"
        case "DELETE": return isOne == false ? "deletecollection" : "delete"
        // Whoever asks decides what a method is called, and names of series are not theirs to choose.
        default: return "other"
        }
    }

    /// Whether a path names one object; nil for a path that is no resource's.
    private static func namesOne(_ path: [String]) -> Bool? {
        let rest: ArraySlice<String>
        switch path.first {
        case "api": rest = path.dropFirst(2)
        case "apis": rest = path.dropFirst(3)
        default: return nil
        }
        guard let first = rest.first else { return nil }
        if first == "namespaces", rest.count > 2 { return rest.count > 3 }
        return rest.count > 1
    }
}
