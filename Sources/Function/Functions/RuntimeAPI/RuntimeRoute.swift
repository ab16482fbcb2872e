/// What a request of a program inside asks for, by its method and path.
package enum RuntimeRoute: Hashable, Sendable {
    case next
    case response(requestID: String)
    case error(requestID: String)
    case initError
    case restoreNext
    case restoreError
    case register
    case extensionNext
    case extensionInitError
    case extensionExitError
    /// The Telemetry API 2022-07-01, and the Logs API 2020-08-15 before it.
    case telemetry(isLogsAPI: Bool)
    case unknown

    /// Reads a request line's method and target.
    package init(method: String, target: String) {
        switch target {
        // First what comes with every call.
        case "/2018-06-01/runtime/invocation/next" where method == "GET": self = .next
        case "/2018-06-01/runtime/init/error" where method == "POST": self = .initError
        case "/2018-06-01/runtime/restore/next" where method == "GET": self = .restoreNext
        case "/2018-06-01/runtime/restore/error" where method == "POST": self = .restoreError
        case "/2020-01-01/extension/register" where method == "POST": self = .register
        case "/2020-01-01/extension/event/next" where method == "GET": self = .extensionNext
        case "/2020-01-01/extension/init/error" where method == "POST": self = .extensionInitError
        case "/2020-01-01/extension/exit/error" where method == "POST": self = .extensionExitError
        case "/2022-07-01/telemetry" where method == "PUT": self = .telemetry(isLogsAPI: false)
        case "/2020-08-15/logs" where method == "PUT": self = .telemetry(isLogsAPI: true)
        default: self = method == "POST" ? Self.answer(target) : .unknown
        }
    }

    private static let invocation = "/2018-06-01/runtime/invocation/"

    private static func answer(_ target: String) -> RuntimeRoute {
        guard target.utf8.starts(with: invocation.utf8) else { return .unknown }
        let rest = target.utf8.dropFirst(invocation.utf8.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")), let id = String(rest[..<slash]), !id.isEmpty else {
            return .unknown
        }
        let word = rest[rest.index(after: slash)...]
        if word.elementsEqual("response".utf8) { return .response(requestID: id) }
        return word.elementsEqual("error".utf8) ? .error(requestID: id) : .unknown
    }
}
