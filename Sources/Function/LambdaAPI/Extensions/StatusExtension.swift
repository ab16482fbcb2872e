internal import JSON
internal import Lambda

/// A resource that is one JSON value, made when it is asked for: `GET /forkless/v1/pools`.
package struct StatusExtension: DoorExtension {
    package let name: String
    private let value: DoorRequest.Reading

    package init(name: String, value: @escaping DoorRequest.Reading) {
        self.name = name
        self.value = value
    }

    package func serve(_ request: DoorRequest) {
        guard request.method == "GET", request.path.isEmpty else { return request.respondUnknown() }
        do throws(LambdaFailure) { try request.allowQuery() } catch { return request.respond(.failure(error)) }
        request.respondJSON(value)
    }
}
