package import Linux
internal import Networking
internal import Synchronization

/// Networks of instances made ahead, so that a start takes one instead of waiting for the kernel.
///
/// Invariants (with their tests in InstanceNetworksTests)
/// 1. A network is given once, and what nobody took is closed with this. (`each network is given once`)
/// 2. Not more than `target` wait. (`so many wait as were wanted`)
package final class InstanceNetworks: Sendable {
    /// Each costs the kernel about 100 KB; a burst takes them all and finds the rest being made.
    package static let standardTarget = 12

    private struct Spare: Sendable {
        var namespace: SharedFD
        var listener: CInt
    }

    private let pool: Mutex<WarmPool<Spare>>

    /// Nothing is made before the first `take` or `warm`.
    package init(target: Int = standardTarget) { pool = Mutex(WarmPool(target: target)) }

    /// Begins to make what is missing.
    package func warm() {
        // What is taken to set the pool going goes back.
        let (spare, actions) = pool.withLock { $0.take() }
        perform(actions)
        if let spare { perform(pool.withLock { $0.returned(spare) }) }
    }

    /// A network of its own for one instance.
    package func take() async throws(SystemError) -> InstanceNetwork {
        if let ready = takeReady() { return ready }
        let raw = try await BlockingPool.shared.run { () throws(SystemError) in try Self.makeSpare() }
        return InstanceNetwork(namespace: raw.namespace, listener: OwnedFD(adopting: raw.listener))
    }

    /// One that waits; nil when none does.
    package func takeReady() -> InstanceNetwork? {
        let (spare, actions) = pool.withLock { $0.take() }
        perform(actions)
        return spare.map { InstanceNetwork(namespace: $0.namespace, listener: OwnedFD(adopting: $0.listener)) }
    }

    /// How many wait.
    package var readyCount: Int { pool.withLock { $0.readyCount } }

    /// Closes what waits and makes no more.
    package func close() { perform(pool.withLock { $0.close() }) }

    deinit { perform(pool.withLock { $0.close() }) }

    private func perform(_ actions: [WarmPool<Spare>.Action]) {
        for action in actions {
            switch action {
            case .make: Task { [weak self] in await self?.make() }
            case .discard(let spare): _ = OwnedFD(adopting: spare.listener)
            }
        }
    }

    private func make() async {
        do {
            let spare = try await BlockingPool.shared.run { () throws(SystemError) in try Self.makeSpare() }
            perform(pool.withLock { $0.made(spare) })
        } catch {
            // Whoever needs one makes it itself and hears why it cannot be made.
            pool.withLock { $0.failed() }
        }
    }

    private static func makeSpare() throws(SystemError) -> Spare {
        let network = try InstanceNetwork.make()
        let namespace = network.namespace
        return Spare(namespace: namespace, listener: network.takeListener().release())
    }
}

extension InstanceNetwork {
    consuming func takeListener() -> OwnedFD { listener }
}
