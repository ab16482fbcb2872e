import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Synchronization

/// The places of services that are being written: given, and not known to be stored yet.
///
/// Invariant: a place is given under one lock, and stays given until it is known to be stored or was given up.
/// (test: `no two services get the same address or port`)
final class ServicePlaces: Sendable {
    /// What one write holds until `release`.
    struct Hold: Sendable {
        fileprivate let number: Int
    }

    private struct State {
        var held: [Int: TakenPlaces] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// Gives a service its places.
    /// - Throws: 422 for what cannot be had.
    func allocate(
        _ service: inout JSONValue, over old: JSONValue?, _ call: Call, _ view: AdmissionView
    ) throws(APIFailure) -> Hold {
        var copy = service
        let (hold, causes) = state.withLock { state -> (Hold, [Cause]) in
            var taken = TakenPlaces()
            for other in view.objects(.services) {
                if other.key.name == call.name ?? "", other.key.namespace == call.namespace, old != nil { continue }
                taken.formUnion(TakenPlaces(of: other.value))
            }
            for held in state.held.values { taken.formUnion(held) }
            let allocation = ServiceAllocation(
                ranges: view.settings.serviceRanges, nodePorts: view.settings.nodePorts, taken: taken,
                chance: view.chance)
            let causes = allocation.fill(&copy, over: old)
            state.next += 1
            // What it had before it keeps; two writes of one service do not stand in each other's way.
            var own = TakenPlaces(of: copy)
            if let old { own.subtract(TakenPlaces(of: old)) }
            if causes.isEmpty { state.held[state.next] = own }
            return (Hold(number: state.next), causes)
        }
        guard causes.isEmpty else {
            throw .invalid(
                InvalidObject(
                    kind: call.kind.id, name: service["metadata", "name"]?.string ?? "", causes: causes))
        }
        service = copy
        return hold
    }

    func release(_ hold: Hold) { state.withLock { $0.held[hold.number] = nil } }
}
