import JSON

/// What a registry's refusals mean.
enum RegistryAnswer {
    private static let bodyBytesLimit = 64 << 10
    private static let textLimit = 300

    /// The failure that a status stands for, with what the registry says about it.
    static func failure(_ response: WebResponse, _ step: String) async -> RegistryFailure {
        // What the body says is an extra: a broken body must not hide the status.
        let body = (try? await response.bytes(limit: bodyBytesLimit, what: "the error")) ?? []
        let said = sentence(body)
        let kind: RegistryFailure.Kind =
            switch response.status {
            case 401, 403: .denied
            case 404: .notFound
            case 408, 425, 429, 500...599: .busy
            case 405, 415: .unsupported
            default: .untrustworthy
            }
        let message = "\(step): \(response.address.authority) answers \(response.status)"
        return RegistryFailure(
            kind, said.isEmpty ? message : "\(message): \(said)", retryAfter: retryAfter(response.header("retry-after"))
        )
    }

    /// Seconds only; a date would need their clock and ours to agree.
    static func retryAfter(_ header: String?) -> Duration? {
        guard let header, let seconds = Int(header), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 86_400))
    }

    /// The errors of the distribution specification's error body, on one line, without control characters: it is
    /// somebody else's text and goes to a terminal.
    static func sentence(_ body: [UInt8]) -> String {
        guard let errors = (try? JSONParser.parse(body))?["errors"]?.array else { return "" }
        let texts = errors.prefix(3).compactMap { error -> String? in
            guard let code = error["code"]?.string else { return error["message"]?.string }
            return error["message"]?.string.map { "\(code): \($0)" } ?? code
        }
        let scalars = texts.joined(separator: "; ").unicodeScalars.filter { scalar in
            !(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)) && !scalar.properties.isBidiControl
        }
        return String(String.UnicodeScalarView(scalars.prefix(textLimit)))
    }
}
