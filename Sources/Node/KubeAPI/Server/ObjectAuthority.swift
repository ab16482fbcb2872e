package import JSON
package import KubeObjects
import Synchronization

/// Where what objects of one kind declare is really kept: asked before each write, so that nothing is stored that it
/// refuses. Objects of the kind are written one after the other.
package protocol ObjectAuthority: Sendable {
    var resource: Resource { get }

    /// An object is about to be stored: takes over what it declares.
    ///
    /// - Parameters:
    ///   - object: valid and complete.
    ///   - old: what it replaces.
    ///   - user: who writes.
    ///   - isDryRun: whether it is only to be said whether it would do.
    /// - Returns: what is stored, with its status.
    func declare(
        _ object: JSONValue, over old: JSONValue?, by user: String, isDryRun: Bool
    ) async throws(APIFailure) -> JSONValue

    /// An object is about to be removed.
    func withdraw(_ object: JSONValue, by user: String) async throws(APIFailure)
}

/// Lets one writer after the other to a kind that has an authority, in the order in which they come.
final class WriteTurns: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

extension APIServer {
    struct KindAuthority: Sendable {
        let authority: any ObjectAuthority
        let turns = WriteTurns()
    }

    /// The authority for what a call writes; nil for most kinds.
    func authority(for call: Call) -> KindAuthority? {
        authorities.first { $0.authority.resource.storeName == call.resource.storeName }
    }

    /// - Returns: to be left after the write; nil when nobody has to wait.
    func turn(_ call: Call) async -> WriteTurns? {
        guard let turns = authority(for: call)?.turns else { return nil }
        await turns.take()
        return turns
    }

    /// What is stored of an object.
    func declared(_ object: JSONValue, over old: JSONValue?, _ call: Call) async throws(APIFailure) -> JSONValue {
        guard call.subresource == nil, let authority = authority(for: call)?.authority else { return object }
        return try await authority.declare(object, over: old, by: call.user.name, isDryRun: call.options.isDryRun)
    }

    func withdraw(_ object: JSONValue, _ call: Call) async throws(APIFailure) {
        try await authority(for: call)?.authority.withdraw(object, by: call.user.name)
    }
}
