internal import NIOCore

/// Connections to servers that wait for the next request. Confined to its loop.
///
/// Invariant: a connection is somebody's or in the pool, and one that its server has closed is neither.
/// (test: `a connection is used again, and not when its server has closed it`)
package final class UpstreamPool {
    /// Kept for one server at most.
    private static let keptLimit = 64
    /// A connection that was not used for so long is closed: servers do that as well, and a request may be under way then.
    private static let idleTime = Duration.seconds(20)

    private struct Idle {
        var upstream: HTTPUpstream
        var since: NIODeadline
    }

    package let loop: ServingLoop
    private var idle: [HTTPAddress: [Idle]] = [:]
    private var sweep: ScheduledWork?

    package init(_ loop: ServingLoop) { self.loop = loop }

    package var count: Int { idle.values.reduce(0) { $0 + $1.count } }

    /// A connection to a server, if one waits; the one that was used last.
    package func take(_ address: HTTPAddress) -> HTTPUpstream? {
        while let found = idle[address]?.popLast() {
            found.upstream.onEvent = nil
            if found.upstream.isReusable { return found.upstream }
            found.upstream.close()
        }
        return nil
    }

    /// Keeps a connection whose answer is complete.
    package func put(_ upstream: HTTPUpstream) {
        let address = upstream.address
        guard upstream.isReusable, idle[address, default: []].count < Self.keptLimit else { return upstream.close() }
        // Whatever comes now was not asked for.
        upstream.onEvent = { [weak self, weak upstream] _ in
            guard let self, let upstream else { return }
            idle[address]?.removeAll { $0.upstream === upstream }
            upstream.close()
        }
        idle[address, default: []].append(Idle(upstream: upstream, since: .now()))
        scheduleSweep()
    }

    /// Closes the waiting connections to servers that are not to be asked any more.
    package func keep(_ isWanted: (HTTPAddress) -> Bool) {
        for (address, waiting) in idle where !isWanted(address) {
            idle[address] = nil
            for one in waiting { one.upstream.close() }
        }
    }

    package func closeAll() { keep { _ in false } }

    private func scheduleSweep() {
        guard sweep == nil else { return }
        let pool = LoopBound(self, on: loop)
        sweep = loop.schedule(after: Self.idleTime) {
            pool.value.sweep = nil
            pool.value.closeOld()
        }
    }

    private func closeOld() {
        let limit = NIODeadline.now() - TimeAmount(Self.idleTime)
        for (address, waiting) in idle {
            let young = waiting.filter { $0.since > limit }
            idle[address] = young.isEmpty ? nil : young
            for one in waiting where one.since <= limit { one.upstream.close() }
        }
        if !idle.isEmpty { scheduleSweep() }
    }
}
