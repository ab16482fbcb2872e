import HTTPServing
import Synchronization

/// What goes on at one server by the gateway: what an autoscaler decides from that looks at pods.
package struct ServerLoad: Hashable, Sendable {
    /// Requests that it is asked now.
    package var concurrency = 0
    package var requestsPerSecond = 0.0
}

/// Counts requests by the address of the server that is asked; from all loops.
///
/// Invariant: of a server that is gone and has nothing under way nothing is kept.
/// (test: `requests are counted by server, and servers that are gone are forgotten`)
final class ServerBook: Sendable {
    private struct Entry {
        var concurrency = 0
        var rate = RequestRate()
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let begin = ContinuousClock.now

    private func second() -> Int64 { begin.duration(to: .now).components.seconds }

    func load(of address: String) -> ServerLoad {
        let now = second()
        return entries.withLock { entries in
            let entry = entries[address] ?? Entry()
            return ServerLoad(concurrency: entry.concurrency, requestsPerSecond: entry.rate.perSecond(now: now))
        }
    }

    /// How many servers something is known of.
    var count: Int { entries.withLock { $0.count } }

    fileprivate func began(_ address: String) {
        let now = second()
        entries.withLock { entries in
            entries[address, default: Entry()].concurrency += 1
            entries[address]!.rate.count(now: now)
        }
    }

    fileprivate func ended(_ address: String) {
        entries.withLock { $0[address, default: Entry()].concurrency -= 1 }
    }

    /// Forgets servers that are gone and have nothing under way.
    func keep(_ addresses: Set<String>) {
        entries.withLock { entries in
            entries = entries.filter { addresses.contains($0.key) || $0.value.concurrency > 0 }
        }
    }
}

/// The server that one request is at: none, or one after the other. Confined to the loop.
final class AskedServer {
    private let book: ServerBook
    private var address: String?
    private var isOver = false

    init(_ book: ServerBook) { self.book = book }

    /// - Parameter server: nil when the request is at none any more.
    func move(to server: HTTPAddress?) {
        if let address { book.ended(address) }
        // A server may still be found for a client that has gone away.
        address = isOver ? nil : server?.host
        if let address { book.began(address) }
    }

    func end() {
        isOver = true
        move(to: nil)
    }
}

extension HTTPAddress {
    /// The address without its port; nil for a socket's path.
    var host: String? { if case .tcp(let host, _) = self { host } else { nil } }
}
