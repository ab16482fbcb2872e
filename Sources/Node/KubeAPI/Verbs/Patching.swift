import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// A patch, read and ready to be applied as often as it takes.
enum Patch: Sendable {
    case json(JSONPatch)
    case merge(JSONValue)
    case strategic(JSONValue)
    /// Server-side apply: the configuration, decoded.
    case apply(JSONValue)

    /// - Throws: 415 for another type, 400 for what is no patch.
    init(_ body: BodyReader, _ call: Call) throws(APIFailure) {
        guard let type = PatchType(rawValue: body.type), PatchType.accepted(isCustom: call.isCustom).contains(body.type)
        else { throw BodyReader.unsupported(PatchType.accepted(isCustom: call.isCustom)) }
        let value = try body.value(expecting: call.kind.id.kind)
        switch type {
        case .json:
            do throws(PatchError) { self = .json(try JSONPatch(value)) } catch { throw Self.failure(error, value) }
        case .merge, .strategic:
            guard value.object != nil else {
                throw .badRequest("error decoding patch: it must be a JSON object, not \(value.kindName)")
            }
            self = type == .merge ? .merge(value) : .strategic(value)
        case .apply: self = .apply(value)
        }
    }

    static func failure(_ error: PatchError, _ patch: JSONValue) -> APIFailure {
        switch error.status {
        case .badRequest: return .badRequest(error.description)
        case .tooLarge: return APIFailure(413, "RequestEntityTooLarge", error.description)
        case .unprocessable:
            return APIFailure(
                422, "Invalid", "the server rejected our request due to an error in our request",
                details: ["causes": [["reason": "UnexpectedServerResponse", "message": .string(error.description)]]])
        }
    }

    /// The object that comes out, as the patch makes it: not yet decoded.
    func applied(to object: JSONValue, _ call: Call) throws(APIFailure) -> JSONValue {
        do throws(PatchError) {
            switch self {
            case .json(let patch): return try patch.applied(to: object)
            case .merge(let patch): return JSONMergePatch.apply(patch, to: object)
            case .strategic(let patch):
                return try StrategicMergePatch.apply(patch, to: object, of: call.kind, in: call.served.schema)
            case .apply: preconditionFailure("a configuration is applied by FieldTracking")
            }
        } catch { throw Self.failure(error, object) }
    }
}

extension APIServer {
    /// Changes an object by a patch. Server-side apply also makes objects.
    func patch(_ call: Call, _ patch: Patch) async throws(APIFailure) -> (ShownObject, isNew: Bool) {
        if case .apply(let config) = patch { return try await apply(call, config) }
        let shown = try await change(call) { old throws(APIFailure) in
            let patched = try patch.applied(to: old, call)
            return Wanted(object: try Self.decodePatched(patched, call))
        }
        return (shown, false)
    }

    /// What a patch has made, as an object of its kind.
    static func decodePatched(_ patched: JSONValue, _ call: Call) throws(APIFailure) -> JSONValue {
        var warnings: [String] = []
        var object: JSONValue
        do throws(APIFailure) {
            object = try BodyReader.decode(
                patched, call.kind, call.served.schema, call.options.fieldValidation, &warnings)
        } catch {
            let cause = Cause(
                reason: .invalid, path: FieldPath.root.child("patch"), value: patched, detail: error.message)
            throw .invalid(
                InvalidObject(kind: GroupVersionKind(group: "", version: "", kind: ""), name: "", causes: [cause]))
        }
        call.warnings.add(warnings)
        Defaulting.apply(to: &object, of: call.kind, in: call.served.schema)
        return object
    }

    // MARK: Server-side apply

    private func apply(_ call: Call, _ sent: JSONValue) async throws(APIFailure) -> (ShownObject, isNew: Bool) {
        let config = try Self.configuration(sent, call)
        while true {
            do throws(APIFailure) {
                let shown = try await change(call) { old throws(APIFailure) in try self.applied(config, to: old, call) }
                return (shown, false)
            } catch {
                guard error.code == 404, call.subresource == nil else { throw error }
                if let uid = config["metadata", "uid"]?.string, !uid.isEmpty {
                    throw .conflict(
                        call.resource, call.name ?? "",
                        "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
                }
            }
            do throws(APIFailure) {
                if !call.isTrusted { try authorizeCreation(call) }
                let tracked = try FieldTracking(call: call, now: time()).apply(config, to: [:])
                return (try await create(call, tracked, isTracked: true), true)
            } catch {
                // Somebody has made it meanwhile.
                guard error.reason == "AlreadyExists", !Task.isCancelled else { throw error }
            }
        }
    }

    static func configuration(_ sent: JSONValue, _ call: Call) throws(APIFailure) -> JSONValue {
        guard sent.object != nil else {
            throw .badRequest("error decoding YAML: the configuration must be an object, not \(sent.kindName)")
        }
        for field in ["apiVersion", "kind"] where (sent[field]?.string ?? "").isEmpty {
            throw .badRequest("invalid object type: the configuration has no \(field)")
        }
        var warnings: [String] = []
        var config = try BodyReader.decode(
            sent, call.kind, call.served.schema, call.options.fieldValidation, &warnings)
        call.warnings.add(warnings)
        try NewObject.place(&config, call)
        return config
    }

    func applied(_ config: JSONValue, to old: JSONValue, _ call: Call) throws(APIFailure) -> Wanted {
        var object = try FieldTracking(call: call, now: time()).apply(config, to: old)
        Defaulting.apply(to: &object, of: call.kind, in: call.served.schema)
        return Wanted(object: object, isTracked: true)
    }
}
