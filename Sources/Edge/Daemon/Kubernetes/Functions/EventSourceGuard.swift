import KubeObjects

/// The API for clients from outside, who may look at event sources and change them elsewhere: they are declared through the
/// Lambda API, and their objects follow. The status of functions is the node's.
///
/// Invariant: no request from outside changes them. (test: `functions of the Lambda API are objects of the Kubernetes API`)
struct EventSourceGuard: APIService {
    let service: any APIService

    func answer(_ request: APIRequest) async -> APIAnswer {
        let path = request.path.filter { !$0.isEmpty }
        guard path.starts(with: ["apis", "forkless.dev"]), path.count > 3, !["GET", "HEAD"].contains(request.method) else {
            return await service.answer(request)
        }
        // /apis/forkless.dev/v1/[namespaces/NAMESPACE/]PLURAL/NAME/SUBRESOURCE
        let place = path[3] == "namespaces" ? Array(path.dropFirst(5)) : Array(path.dropFirst(3))
        if place.first == "eventsources" {
            return refuse(
                "event sources are declared through the Lambda API (forkless fn deploy, aws lambda, a SAM template); "
                    + "the Kubernetes API shows them")
        }
        if place.first == "functions", place.count > 2 { return refuse("the status of a function is written by the node") }
        return await service.answer(request)
    }

    private func refuse(_ sentence: String) -> APIAnswer {
        let failure = APIFailure(405, "MethodNotAllowed", sentence)
        return .whole(
            APIResponse(
                failure.code, headers: [(name: "Content-Type", value: "application/json")],
                body: Array(failure.text.utf8)))
    }
}
