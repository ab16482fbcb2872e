internal import HTTPServing
internal import JSON

/// Answers of the Runtime API that are the same each time, made once.
enum RuntimeReplies {
    static let jsonHeaders = HeaderFields([("Content-Type", "application/json")])
    static let text = HeaderFields([("Content-Type", "text/plain")])

    /// 202, as AWS's emulator gives it. A runtime that has asked for its next event in the same breath hears both at once.
    static let accepted = HTTPResponse(202, headers: jsonHeaders, body: Array(#"{"status":"OK"}"#.utf8), mayWait: true)

    static func json(_ status: Int, _ value: JSONValue) -> HTTPResponse {
        HTTPResponse(status, headers: jsonHeaders, body: JSONWriter.bytes(value))
    }

    static func refusal(_ refusal: Refusal) -> HTTPResponse {
        json(refusal.status, ["errorMessage": .string(refusal.message), "errorType": .string(refusal.errorType)])
    }
}
