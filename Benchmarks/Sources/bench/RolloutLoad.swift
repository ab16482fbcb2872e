import Foundation

/// How clients talk to a service while it is rolled.
enum RolloutLoad: String, CaseIterable {
    /// A connection for each request, to the service's address.
    case fresh
    /// Connections that are kept, to the ingress gateway, which owns those to the pods.
    case gateway
    /// Connections that are kept, to the service's address: each is one pod's as long as it lasts.
    case kept

    var name: String {
        switch self {
        case .fresh: "a connection for each request"
        case .gateway: "connections kept, through the ingress gateway"
        case .kept: "connections kept, straight to the service"
        }
    }

    /// What became of the requests.
    struct Outcome {
        var wrk: WrkRun
        var steady: Steady
        var rollouts: [Int]

        /// Requests that failed beyond doubt. What wrk calls read errors are ends of connections: a failure where the client
        /// keeps none, or where the gateway should have kept it.
        func failed(_ load: RolloutLoad) -> Int {
            let ended = load == .kept ? 0 : wrk.ended
            return steady.refused + steady.lost + steady.unreached + wrk.refused + wrk.unanswered + ended
        }
    }

    /// What steady.c counts.
    struct Steady: Codable {
        var answered: Int
        var refused: Int
        var lost: Int
        var unreached: Int
        var closed: Int
    }

    /// Rolls the service `count` times with wrk at 1,000 requests a second, and steady.c beside it, which tells a connection that
    /// was closed between two requests from a request that was lost.
    func run(_ cluster: ClusterUnderTest, service: String, rollouts count: Int) throws -> Outcome {
        let (host, port) = self == .gateway ? ("127.0.0.1", ClusterUnderTest.ingressPort) : (service, 80)
        // 12 connections that pause for 10 ms, and an answer takes less than one more: over 1,000 requests a second.
        let wrk = try BackgroundCommand(
            cluster.inside(
                WrkRun.words(
                    "http://\(host):\(port)/", script: cluster.program("paced.lua"), connections: 12, seconds: 300,
                    arguments: ["10"], header: self == .fresh ? "Connection: close" : nil)))
        let steady = try BackgroundCommand(
            cluster.inside([cluster.built("steady"), host, "\(port)", "4", "19", self == .fresh ? "fresh" : "kept"]))
        usleep(500_000)
        var rollouts: [Int] = []
        for _ in 0..<count {
            rollouts += try cluster.times("rollout", in: try cluster.kube("rollout", 10, within: 90))
        }
        usleep(500_000)
        let report = try wrk.end(SIGINT, within: 20)
        let counts = try steady.end(SIGTERM, within: 20)
        return Outcome(
            wrk: try WrkRun(report: report), steady: try JSONDecoder().decode(Steady.self, from: Data(counts.utf8)),
            rollouts: rollouts)
    }
}
