package import HTTPServing
package import JSON
package import Lambda

/// Answers as clients of AWS read them: a status, x-amzn-RequestId, and JSON.
package enum DoorAnswer {
    package static func failure(_ failure: LambdaFailure, requestID: String) -> HTTPResponse {
        var response = json(failure.status, failure.body, requestID: requestID)
        response.headers.add("x-amzn-ErrorType", failure.name)
        if let seconds = failure.retryAfter { response.headers.add("Retry-After", "\(seconds)") }
        return response
    }

    package static func json(_ status: Int, _ value: JSONValue, requestID: String) -> HTTPResponse {
        HTTPResponse(
            status, headers: HeaderFields([("Content-Type", "application/json"), ("x-amzn-RequestId", requestID)]),
            body: JSONWriter.bytes(value))
    }

    /// Without a body.
    package static func empty(_ status: Int, requestID: String) -> HTTPResponse {
        HTTPResponse(status, headers: HeaderFields([("x-amzn-RequestId", requestID)]))
    }
}
