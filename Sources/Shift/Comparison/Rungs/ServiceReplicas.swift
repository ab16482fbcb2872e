package import Engine
import Linux
import Synchronization

/// The replicas of a deployment on this node, found as the containers of its pods.
package final class ServiceReplicas: Sendable {
    private static let podLabel = "io.kubernetes.pod.name"
    private static let namespaceLabel = "io.kubernetes.pod.namespace"

    package let namespace: String
    package let deployment: String
    private let node: NodeClient
    private let scaling: any ReplicaScaling
    private let beginning = Mutex(Beginning())

    package init(_ node: NodeClient, namespace: String, deployment: String, scaling: any ReplicaScaling) {
        self.node = node
        self.namespace = namespace
        self.deployment = deployment
        self.scaling = scaling
    }

    /// What there was when measuring began, and what has come since.
    private struct Beginning {
        var count = 0
        /// nil: it is not counted here.
        var cpuMicroseconds: Int?
        var calls = 0
    }

    /// How many there were when measuring began.
    var count: Int { beginning.withLock { $0.count } }

    /// Looks for them before they are measured.
    func find() async throws(ComparisonError) {
        let replicas = try await running()
        let found = Beginning(count: replicas.count, cpuMicroseconds: try? await cpuMicroseconds(of: replicas))
        beginning.withLock { $0 = found }
    }

    /// One of them has answered.
    func noteCall() { beginning.withLock { $0.calls += 1 } }

    /// Processor time of a call, mean of those since `find`, microseconds.
    func meanCPUMicroseconds() async -> Reading<Double> {
        do throws(ComparisonError) {
            let now = try await cpuMicroseconds(of: try await running())
            let begun = beginning.withLock { $0 }
            guard begun.calls > 0 else { return .unavailable("no call was answered") }
            guard let first = begun.cpuMicroseconds else { return .unavailable(Self.notCounted) }
            return .measured(Double(now - first) / Double(begun.calls))
        } catch { return .unavailable(error.description) }
    }

    /// Of all that ever ran in them, as their control groups have it.
    private func cpuMicroseconds(of replicas: [ContainerSummary]) async throws(ComparisonError) -> Int {
        let sum = Mutex<Int?>(nil)
        do {
            // Of the rate between two looks nobody asks here.
            _ = try await node.stream(
                ReadStatistics(containers: replicas.map(\.id), intervalMilliseconds: 10)
            ) { round, _ in
                let times = round.containers.compactMap(\.cpuMicroseconds)
                sum.withLock { $0 = times.count == replicas.count ? times.reduce(0, +) : nil }
            }
        } catch { throw ComparisonError("\(error)") }
        guard let sum = sum.withLock({ $0 }) else { throw ComparisonError(Self.notCounted) }
        return sum
    }

    private static let notCounted = "processor time is not counted here"

    /// The first processes of the replicas that run.
    ///
    /// - Throws: `ComparisonError` when there is none.
    func pids() async throws(ComparisonError) -> [Int32] { try await running().compactMap(\.pid) }

    private func running() async throws(ComparisonError) -> [ContainerSummary] {
        let all: [ContainerSummary]
        do { all = try await node.call(ListContainers()).containers } catch { throw ComparisonError("\(error)") }
        let replicas = all.filter { container in
            let pod = container.labels[Self.podLabel] ?? ""
            // A pod is called by its deployment, its replica set and itself: "pricer-7d4b9-x2x9q".
            let parts = pod.split(separator: "-", omittingEmptySubsequences: false)
            return container.labels[Self.namespaceLabel] == namespace && container.phase == .running && parts.count > 2
                && parts.dropLast(2).joined(separator: "-") == deployment && container.pid != nil
        }
        guard !replicas.isEmpty else {
            throw ComparisonError("no replica of deployment \(namespace)/\(deployment) runs on this node")
        }
        return replicas
    }

    /// Declares so many replicas more, until they are let go.
    func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances {
        let held = HeldReplicas(
            replicas: self, scaling: scaling, declared: try await scaling.declared(), others: Set(try await pids()))
        do throws(ComparisonError) {
            try await scaling.scale(to: held.declared + count)
            return held
        } catch {
            await evenWhenCancelled { await held.release() }
            throw error
        }
    }
}

/// Who declares how many replicas a deployment has.
package protocol ReplicaScaling: Sendable {
    /// How many are declared.
    func declared() async throws(ComparisonError) -> Int
    /// Declares so many, and returns when so many are ready and all others on their way out.
    func scale(to count: Int) async throws(ComparisonError)
}

/// Replicas that were added to those of a deployment.
private struct HeldReplicas: HeldInstances {
    var replicas: ServiceReplicas
    var scaling: any ReplicaScaling
    /// How many there shall be again.
    var declared: Int
    /// The processes that were there before.
    var others: Set<Int32>

    var method: String { MemoryOfProcess.method }

    func memoryBytes() async -> Reading<Int> {
        do throws(ComparisonError) {
            return MemoryOfProcess.proportional(try await replicas.pids().filter { !others.contains($0) })
        } catch { return .unavailable(error.description) }
    }

    func killOne() async throws(ComparisonError) -> Int { throw ComparisonError("a replica of the service is killed instead") }

    func release() async { try? await scaling.scale(to: declared) }
}
