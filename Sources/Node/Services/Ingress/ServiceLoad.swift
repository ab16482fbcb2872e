import Synchronization

/// What came to a service by the gateway: what an autoscaler decides from.
package struct ServiceLoad: Hashable, Sendable {
    /// Requests that are being answered, or wait for a server.
    package var concurrency = 0
    /// Of those, requests that wait for a first server.
    package var waiting = 0
    /// Since the gateway began.
    package var requests = 0
    /// Answers by the first digit of their status; 0 counts clients that went away before.
    package var answers: [Int: Int] = [:]
    /// Answers that took up to so long, by the bounds of `bounds`; the last counts all that took longer.
    package var latencies = [Int](repeating: 0, count: ServiceLoad.bounds.count + 1)
    /// What all answers have taken together.
    package var answering = Duration.zero
    fileprivate var rate = RequestRate()

    /// Milliseconds.
    package static let bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
}

/// Counts requests by service; from all loops.
final class LoadBook: Sendable {
    private let loads = Mutex<[ServiceName: ServiceLoad]>([:])
    private let begin = ContinuousClock.now

    private func second() -> Int64 { begin.duration(to: .now).components.seconds }

    func load(of service: ServiceName) -> ServiceLoad { loads.withLock { $0[service] ?? ServiceLoad() } }

    var all: [ServiceName: ServiceLoad] { loads.withLock(\.self) }

    func perSecond(of service: ServiceName) -> Double {
        let now = second()
        return loads.withLock { $0[service]?.rate.perSecond(now: now) ?? 0 }
    }

    func began(_ service: ServiceName) {
        let now = second()
        loads.withLock { loads in
            loads[service, default: ServiceLoad()].concurrency += 1
            loads[service]!.requests += 1
            loads[service]!.rate.count(now: now)
        }
    }

    func ended(_ service: ServiceName, status: Int?, after span: Duration) {
        let milliseconds = Int(span.components.seconds) * 1000 + Int(span.components.attoseconds / 1_000_000_000_000_000)
        let place = ServiceLoad.bounds.firstIndex { milliseconds < $0 } ?? ServiceLoad.bounds.count
        loads.withLock { loads in
            loads[service, default: ServiceLoad()].concurrency -= 1
            loads[service]!.answers[(status ?? 0) / 100, default: 0] += 1
            loads[service]!.latencies[place] += 1
            loads[service]!.answering += span
        }
    }

    func waits(_ service: ServiceName, _ change: Int) {
        loads.withLock { $0[service, default: ServiceLoad()].waiting += change }
    }

    /// Forgets services that are gone and have nothing under way.
    func keep(_ services: Set<ServiceName>) {
        loads.withLock { loads in loads = loads.filter { services.contains($0.key) || $0.value.concurrency > 0 } }
    }
}
