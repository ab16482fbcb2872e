import JSON
import KubeObjects
import KubeSchema
import KubeStore

extension APIServer {
    /// How often a generated name is made anew when somebody has it.
    private static let nameAttempts = 8

    /// Makes an object.
    /// - Parameters:
    ///   - sent: decoded, as `BodyReader` gives it.
    ///   - isTracked: whether its managed fields are right already: server-side apply.
    func create(_ call: Call, _ sent: JSONValue, isTracked: Bool = false) async throws(APIFailure) -> ShownObject {
        guard !definitions.isGoing(call.resource) else {
            throw APIFailure(
                405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating")
        }
        var object = sent
        try NewObject.place(&object, call)
        guard (sent["metadata", "resourceVersion"]?.string ?? "").isEmpty else {
            throw APIFailure(500, "", "resourceVersion should not be set on objects to be created")
        }
        Defaulting.apply(to: &object, of: call.kind, in: call.served.schema)
        let isGenerated = (object["metadata", "name"]?.string ?? "").isEmpty
        var attempts = 0
        let turn = await turn(call)
        defer { turn?.leave() }
        while true {
            var one = object
            if isGenerated { NewObject.generateName(&one, chance) }
            let made: Result<ShownObject, APIFailure>
            do throws(ObjectStoreFailure) { made = try await createOnce(call, one, sent, isTracked: isTracked) } catch {
                // A quota that was charged by somebody else meanwhile.
                if case .conflict(let current, _) = error, !Task.isCancelled {
                    await known.reached(current.key.resource, current.revision)
                    continue
                }
                guard case .alreadyExists(let key) = error else { throw failure(error, call) }
                attempts += 1
                guard isGenerated else { throw .alreadyExists(call.resource, key.name) }
                guard attempts < Self.nameAttempts else {
                    var failure = APIFailure.alreadyExists(call.resource, key.name)
                    failure.message += ", the server was not able to generate a unique name for the object"
                    throw failure
                }
                continue
            }
            return try made.get()
        }
    }

    /// - Throws: what the store says; of the rest the result.
    private func createOnce(
        _ call: Call, _ object: JSONValue, _ sent: JSONValue, isTracked: Bool
    ) async throws(ObjectStoreFailure) -> Result<ShownObject, APIFailure> {
        let now = time()
        let view = view
        var object = object
        var hold: ServicePlaces.Hold?
        defer { if let hold { places.release(hold) } }
        NewObject.begin(&object, call, uid: chance.uuid(), now: now)
        var request = AdmissionRequest(operation: .create, call: call, object: object, old: nil, now: now)
        var writes: [ObjectWrite] = []
        do throws(APIFailure) {
            try admission.change(&request, view)
            try validate(request.object, call)
            if request.isFor(.services) { hold = try places.allocate(&request.object, over: nil, call, view) }
            try admission.check(request, view)
            if !isTracked {
                try FieldTracking(call: call, now: now).track(
                    &request.object, over: nil, sent: sent["metadata", "managedFields"])
            }
            writes = try QuotaCharge.writes(request, quotas(call))
        } catch { return .failure(error) }
        let key = call.resource.key(namespace: call.namespace, request.name)
        if authority(for: call) != nil {
            if (try? await store.get(key)) != nil { throw .alreadyExists(key) }
            do throws(APIFailure) { request.object = try await declared(request.object, over: nil, call) } catch {
                return .failure(error)
            }
        }
        if call.options.isDryRun {
            if (try? await store.get(key)) != nil { throw .alreadyExists(key) }
            return .success(.value(request.object))
        }
        writes.insert(.create(key, StoredForm.stored(request.object, call)), at: 0)
        if request.isFor(.namespaces) { writes += firstContent(of: request, now) }
        let written = try await commit(writes)
        return .success(.stored(written[0].object))
    }

    func quotas(_ call: Call) -> [StoredObject] {
        call.namespace.map { known.objects(.resourceQuotas, namespace: $0) } ?? []
    }

    /// The account that pods have who name none, made with the namespace so that no pod comes too early.
    private func firstContent(of request: AdmissionRequest, _ now: Timestamp) -> [ObjectWrite] {
        let account: JSONValue = [
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": [
                "name": "default", "namespace": .string(request.name), "uid": .string(chance.uuid()),
                "creationTimestamp": .string(now.kubeTime),
            ],
        ]
        return [.create(Resource.serviceAccounts.key(namespace: request.name, "default"), account)]
    }

    func validate(_ object: JSONValue, over old: JSONValue? = nil, _ call: Call) throws(APIFailure) {
        if let warnings = call.served.warnings { call.warnings.add(warnings(object)) }
        let validation = Validation(call.kind, in: call.served.schema)
        var causes: [Cause] = []
        do throws(InvalidObject) {
            if let old { try validation.checkUpdate(object, of: old) } else { try validation.checkNew(object) }
            try StoredForm.check(object, over: old, call)
        } catch { causes = error.causes }
        causes += call.served.check?(object) ?? []
        guard causes.isEmpty else {
            throw .invalid(
                InvalidObject(
                    kind: call.kind.id, name: object["metadata", "name"]?.string ?? "", causes: causes))
        }
    }
}
