import JSON
import KubeObjects
import KubeSchema
import KubeStore

extension APIServer {
    /// What a client wants instead of an object that is there.
    struct Wanted: Sendable {
        /// Decoded and filled in.
        var object: JSONValue
        /// Whether the managed fields are those of `object` already: server-side apply.
        var isTracked = false
    }

    /// Puts what `make` wants into the place of an object; asks again when somebody else was faster and the client has not
    /// said which version it means.
    ///
    /// - Parameter make: from the object as it is, by its current value.
    func change(
        _ call: Call, _ make: (JSONValue) throws(APIFailure) -> Wanted
    ) async throws(APIFailure) -> ShownObject {
        let key = try call.key()
        var attempts = 0
        let turn = await turn(call)
        defer { turn?.leave() }
        while true {
            let changed: Result<ShownObject, APIFailure>
            do throws(ObjectStoreFailure) {
                changed = try await changeOnce(call, try await store.get(key), make)
            } catch {
                attempts += 1
                // Somebody was faster. A client that means one version was refused before.
                guard case .conflict(let newer, _) = error, attempts < 100, !Task.isCancelled else {
                    throw failure(error, call)
                }
                await known.reached(newer.key.resource, newer.revision)
                continue
            }
            return try changed.get()
        }
    }

    private func changeOnce(
        _ call: Call, _ current: StoredObject, _ make: (JSONValue) throws(APIFailure) -> Wanted
    ) async throws(ObjectStoreFailure) -> Result<ShownObject, APIFailure> {
        let old = StoredForm.shown(current.value, call)
        let now = time()
        let view = view
        var request: AdmissionRequest
        var charges: [ObjectWrite] = []
        var hold: ServicePlaces.Hold?
        defer { if let hold { places.release(hold) } }
        do throws(APIFailure) {
            let wanted = try make(old)
            try Self.check(wanted.object, current, call)
            var new = wanted.object
            ChangedObject.complete(&new, over: old, call)
            request = AdmissionRequest(operation: .update, call: call, object: new, old: old, now: now)
            try admission.change(&request, view)
            if request.isFor(.services) { hold = try places.allocate(&request.object, over: old, call, view) }
            try validate(request.object, over: old, call)
            try admission.check(request, view)
            if !wanted.isTracked {
                try FieldTracking(call: call, now: now).track(
                    &request.object, over: old, sent: wanted.object["metadata", "managedFields"])
            }
            charges = try QuotaCharge.writes(request, quotas(call))
            if ChangedObject.isGone(request.object, old, call.kind) {
                if !call.options.isDryRun { try await withdraw(old, call) }
            } else if request.object != old {
                request.object = try await declared(request.object, over: old, call)
            }
        } catch { return .failure(error) }
        if call.options.isDryRun { return .success(.value(request.object)) }
        let precondition = Precondition(revision: current.revision)
        if ChangedObject.isGone(request.object, old, call.kind) {
            _ = try await commit([.delete(current.key, if: precondition)])
            return .success(.value(request.object))
        }
        // Equal values may be written in another order: that is no change.
        if request.object == old { return .success(.stored(current)) }
        let write = ObjectWrite.update(current.key, StoredForm.stored(request.object, call), if: precondition)
        let written = try await commit([write] + charges)
        return .success(.stored(written[0].object))
    }

    /// That a client means the object that is there.
    private static func check(_ new: JSONValue, _ current: StoredObject, _ call: Call) throws(APIFailure) {
        let name = current.key.name
        if let uid = new["metadata", "uid"]?.string, !uid.isEmpty, uid != current.uid ?? "" {
            throw .conflict(
                call.resource, name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid ?? "")")
        }
        let version = new["metadata", "resourceVersion"]?.string ?? ""
        if version.isEmpty {
            guard !Strategy(call.served).updatesUnconditionally, call.subresource == nil else { return }
            throw .invalid(
                InvalidObject(
                    kind: call.kind.id, name: name,
                    causes: [
                        Cause(
                            reason: .invalid, path: FieldPath.root.child("metadata").child("resourceVersion"), value: 0,
                            detail: "must be specified for an update")
                    ]))
        }
        guard try ListOptions.revision(version, call.resource) == current.revision else {
            throw .conflict(call.resource, name, APIFailure.modified)
        }
    }

    // MARK: Update

    /// Replaces an object, or of some kinds makes it.
    /// - Returns: whether it was made.
    func update(_ call: Call, _ sent: JSONValue) async throws(APIFailure) -> (ShownObject, isNew: Bool) {
        var object = sent
        try Self.place(&object, call)
        Defaulting.apply(to: &object, of: call.kind, in: call.served.schema)
        do throws(APIFailure) {
            let wanted = object
            return (try await change(call) { _ throws(APIFailure) in Wanted(object: wanted) }, false)
        } catch {
            guard error.code == 404, call.subresource == nil, Strategy(call.served).createsOnUpdate,
                (object["metadata", "resourceVersion"]?.string ?? "").isEmpty
            else { throw error }
            if !call.isTrusted { try authorizeCreation(call) }
            return (try await create(call, sent), true)
        }
    }

    private static func place(_ object: inout JSONValue, _ call: Call) throws(APIFailure) {
        let name = object["metadata", "name"]?.string ?? ""
        guard !name.isEmpty else { throw .badRequest("name must be provided") }
        guard name == call.name else {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(call.name ?? ""))")
        }
        try NewObject.place(&object, call)
    }
}
