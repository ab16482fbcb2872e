import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// Has a controller decide about an object, and does what it decided.
///
/// Invariants
/// 1. After an action that fails the rest of the decision is left. (test: `after an action that fails the rest is left`)
/// 2. The second update of an object in a decision is made on top of the first.
///    (test: `two updates of one object in a decision do not conflict`)
struct ActionPerformer: Sendable {
    let controller: any Controller
    let view: any ObjectView
    let client: any ObjectClient
    let recorder: EventRecorder
    let clock: any WallClock
    let report: @Sendable (String) -> Void

    func work(_ key: ObjectKey) async -> WorkQueue.Outcome {
        let decision = controller.decide(key, in: view, now: clock.now)
        var outcome = WorkQueue.Outcome(again: decision.again)
        var versions: [ObjectKey: String] = [:]
        for action in decision.actions {
            do throws(APIFailure) {
                try await perform(action, &outcome.expectations, &versions)
            } catch {
                outcome.hasFailed = true
                if !error.isRace { report("\(controller.name): \(action) for \(key): \(error.message)") }
                await tell(action, error, key, &outcome.expectations, &versions)
                break
            }
        }
        return outcome
    }

    private func perform(
        _ action: ObjectAction, _ expectations: inout [Expectation], _ versions: inout [ObjectKey: String]
    ) async throws(APIFailure) {
        switch action {
        case .create(let resource, let object):
            note(try await client.create(resource, object), resource, &expectations, &versions)
        case .update(let resource, var object, let subresource):
            if let version = versions[resource.key(namespace: object.namespace, object.name)] {
                object.metadata.resourceVersion = version
            }
            note(
                try await client.update(resource, object, subresource: subresource), resource, &expectations, &versions)
        case .delete(let resource, let namespace, let name, let options):
            do throws(APIFailure) {
                try await client.delete(resource, namespace: namespace, name, options)
            } catch  where error.code == 404 {
                // Gone already, which is what was wanted.
            }
            expectations.append(.deleted(resource, resource.key(namespace: namespace, name), uid: options.uid))
        case .confirmEmpty(let kinds, let namespace):
            for kind in kinds {
                let left = try await client.list(kind, namespace: namespace, labels: .everything)
                guard let first = left.first else { continue }
                throw .conflict(kind, first.name, "it is still in the namespace \(namespace)")
            }
        case .event(let object, let resource, let type, let reason, let message):
            recorder.record(
                object, resource, by: EventReporter(controller.name), type: type, reason: reason, message: message)
        }
    }

    private func note(
        _ object: KubeObject, _ resource: Resource, _ expectations: inout [Expectation],
        _ versions: inout [ObjectKey: String]
    ) {
        guard let version = object.metadata.resourceVersion else { return }
        let key = resource.key(namespace: object.namespace, object.name)
        versions[key] = version
        if let revision = Int64(version) { expectations.append(.written(resource, key, revision: revision)) }
    }

    private func tell(
        _ action: ObjectAction, _ failure: APIFailure, _ key: ObjectKey, _ expectations: inout [Expectation],
        _ versions: inout [ObjectKey: String]
    ) async {
        for action in controller.failed(action, failure, about: key, in: view, now: clock.now) {
            do throws(APIFailure) {
                try await perform(action, &expectations, &versions)
            } catch {
                // The object is looked at again, and fails again when that matters.
                return
            }
        }
    }
}

extension APIFailure {
    /// Whether somebody else was faster, which happens and needs no word.
    fileprivate var isRace: Bool { code == 409 || code == 404 }
}

extension ObjectAction: CustomStringConvertible {
    package var description: String {
        switch self {
        case .create(let resource, let object): "create \(resource) \(object.name)"
        case .update(let resource, let object, let subresource):
            "update \(resource) \(object.name)" + (subresource.map { " (\($0))" } ?? "")
        case .delete(let resource, _, let name, _): "delete \(resource) \(name)"
        case .confirmEmpty(_, let namespace): "see that the namespace \(namespace) is empty"
        case .event(let object, _, _, let reason, _): "event \(reason) about \(object.name)"
        }
    }
}
