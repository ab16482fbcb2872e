package import EventSources
internal import Lambda

/// `POST /forkless/v1/replay`: what `ReplayResource` says, over HTTP.
package struct ReplayExtension: DoorExtension {
    package let name = "replay"
    private let resource: ReplayResource

    package init(_ resource: ReplayResource) { self.resource = resource }

    package func serve(_ request: DoorRequest) {
        guard request.method == "POST", request.path.isEmpty else { return request.respondUnknown() }
        let (resource, body) = (resource, request.body)
        request.respondJSON { () async throws(LambdaFailure) in try await resource.answer(body) }
    }
}
