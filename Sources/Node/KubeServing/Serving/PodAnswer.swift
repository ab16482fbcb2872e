internal import HTTPServing
internal import KubeObjects

/// What becomes of a request for a pod's streams.
struct PodAnswer {
    let wanted: PodRequest
    let request: APIRequest
    let answer: DoorAnswer
    let parts: DoorParts

    init(_ wanted: PodRequest, _ request: APIRequest, _ answer: DoorAnswer, _ parts: DoorParts) {
        self.wanted = wanted
        self.request = request
        self.answer = answer
        self.parts = parts
    }

    func give() async {
        switch wanted {
        case .log(let target, let options): await giveLog(target, options)
        case .execute, .attach, .portForward:
            await answer.whole(APIResponse(failure: .badRequest("Upgrade request required")))
        }
    }

    /// A container's log; what is wrong is said before the first byte.
    private func giveLog(_ target: PodTarget, _ options: PodLogOptions) async {
        do throws(APIFailure) {
            let lines = try await parts.pods.log(target, options)
            await answer.parts(APIResponse(200, headers: [("Content-Type", "text/plain")]), lines, parts.open)
        } catch {
            await answer.whole(APIResponse(failure: error))
        }
    }
}
