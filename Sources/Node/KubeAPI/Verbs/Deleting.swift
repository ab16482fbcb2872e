import JSON
import KubeObjects
import KubeStore

/// What a deletion has done.
struct DeletedObject: Sendable {
    var shown: ShownObject
    /// Whether it is gone; otherwise it is only going.
    var isGone: Bool
}

extension APIServer {
    /// Deletes an object, or marks it as going.
    func delete(_ call: Call, _ options: DeleteOptions) async throws(APIFailure) -> DeletedObject {
        let key = try call.key()
        var attempts = 0
        let turn = await turn(call)
        defer { turn?.leave() }
        while true {
            let result: Result<DeletedObject, APIFailure>
            do throws(ObjectStoreFailure) { result = try await deleteOnce(call, key, options) } catch {
                attempts += 1
                guard case .conflict = error, attempts < 100, !Task.isCancelled else { throw failure(error, call) }
                continue
            }
            return try result.get()
        }
    }

    private func deleteOnce(
        _ call: Call, _ key: ObjectKey, _ options: DeleteOptions
    ) async throws(ObjectStoreFailure) -> Result<DeletedObject, APIFailure> {
        let current = try await store.get(key)
        let decision: Deletion.Decision
        do throws(APIFailure) {
            let now = time()
            decision = try Deletion.decide(current.value, options, Strategy(call.served), call.kind, now: now)
            let request = AdmissionRequest(
                operation: .delete, call: call, object: current.value, old: current.value, now: now)
            try admission.check(request, view)
        } catch { return .failure(error) }
        let precondition = Precondition(revision: current.revision)
        switch decision {
        case .remove:
            guard !options.isDryRun else { return .success(DeletedObject(shown: .stored(current), isGone: true)) }
            do throws(APIFailure) { try await withdraw(current.value, call) } catch { return .failure(error) }
            let gone = try await commit([.delete(key, if: precondition)])
            return .success(DeletedObject(shown: .stored(gone[0].object), isGone: true))
        case .mark(let object):
            guard !options.isDryRun else { return .success(DeletedObject(shown: .value(object), isGone: false)) }
            let written = try await commit([.update(key, object, if: precondition)])
            return .success(DeletedObject(shown: .stored(written[0].object), isGone: false))
        case .pending: return .success(DeletedObject(shown: .stored(current), isGone: false))
        }
    }

    /// Deletes what a list shows, one after the other.
    func deleteCollection(
        _ call: Call, _ options: DeleteOptions, _ selection: ListOptions
    ) async throws(APIFailure) -> ListedObjects {
        let listed = try await list(call, selection)
        for object in listed.objects {
            let one = Call(call.user, call.served, namespace: object.key.namespace, name: object.key.name)
            do throws(APIFailure) { _ = try await delete(one, options) } catch {
                // Somebody else was faster.
                guard error.code == 404 else { throw error }
            }
        }
        return listed
    }
}
