import JSON
import KubeObjects
import KubeSchema
import KubeStore

extension APIServer {
    /// What stands below an object, and kinds that are only ever created.
    func performBelow(
        _ request: APIRequest, _ info: RequestInfo, _ target: RequestInfo.Target, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        guard let subresource = target.subresource else { throw Self.noSuchMethod }
        guard call.kind.has(subresource: subresource) else { throw Self.noSuchResource }
        switch subresource {
        case "status", "ephemeralcontainers", "finalize": return try await performOnPart(request, info, call)
        default: throw Self.noSuchResource
        }
    }

    /// Parts of an object that are read and written by themselves.
    private func performOnPart(
        _ request: APIRequest, _ info: RequestInfo, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        let form = try Rendering.form(request, call)
        switch info.verb {
        case "get": return .whole(Rendering.object(.stored(try await get(call)), 200, form, call))
        case "update": return .whole(try await answerUpdate(request, form, call))
        case "patch": return .whole(try await answerPatch(request, form, call))
        default: throw Self.noSuchMethod
        }
    }
}
