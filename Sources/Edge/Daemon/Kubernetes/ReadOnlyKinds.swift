import KubeObjects

/// The API for clients from outside, who may look at the kinds of forkless.dev and change them elsewhere: functions are
/// declared through the Lambda API, and their objects follow.
///
/// Invariant: no request from outside changes them. (test: `functions of the Lambda API are objects of the Kubernetes API`)
struct ReadOnlyKinds: APIService {
    let service: any APIService

    func answer(_ request: APIRequest) async -> APIAnswer {
        let isOurs = request.path.count > 2 && request.path[0] == "apis" && request.path[1] == "forkless.dev"
        guard isOurs, !["GET", "HEAD"].contains(request.method) else { return await service.answer(request) }
        let failure = APIFailure(
            405, "MethodNotAllowed",
            "functions and event sources are declared through the Lambda API (forkless fn deploy, aws lambda, a SAM template); "
                + "the Kubernetes API shows them")
        return .whole(
            APIResponse(
                failure.code, headers: [(name: "Content-Type", value: "application/json")],
                body: Array(failure.text.utf8)))
    }
}
