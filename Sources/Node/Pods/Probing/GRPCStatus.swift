import KubeObjects

/// How a call of gRPC ended: the codes of "gRPC over HTTP2" and the names that its libraries print.
struct GRPCStatus: Error, Hashable, Sendable, CustomStringConvertible {
    enum Code: Int, Hashable, Sendable {
        case ok = 0
        case canceled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied,
            resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable,
            dataLoss,
            unauthenticated
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A status as trailers have it: a number, and a text with "%XX" for what headers cannot hold.
    init(number: String, message: String) {
        self.init(Int(number).flatMap(Code.init) ?? .unknown, PercentText.decoded(message))
    }

    /// What an answer means that is none of gRPC: "HTTP to gRPC Status Code Mapping".
    init(httpStatus: Int) {
        let code: Code =
            switch httpStatus {
            case 400: .internal
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        self.init(code, "unexpected HTTP status code received from server: \(httpStatus)")
    }

    var description: String { "rpc error: code = \(name) desc = \(message)" }

    private var name: String {
        if code == .ok { return "OK" }
        let word = "\(code)"
        return word.prefix(1).uppercased() + word.dropFirst()
    }
}
