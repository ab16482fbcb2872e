/// What happens when a container's program ends by itself: the words of `docker run --restart`.
package enum RestartPolicy: Hashable, Sendable, CustomStringConvertible {
    case no
    /// Only after a failure; nil: as often as it fails.
    case onFailure(retries: Int?)
    /// Also, at the start of a node, after it had been stopped.
    case always
    case unlessStopped

    /// nil: the text is no policy (`no`, `on-failure[:RETRIES]`, `always`, `unless-stopped`).
    package init?(_ text: String) {
        switch text {
        case "no": self = .no
        case "always": self = .always
        case "unless-stopped": self = .unlessStopped
        case "on-failure": self = .onFailure(retries: nil)
        default:
            let name = "on-failure:"
            let digits = text.utf8.dropFirst(name.utf8.count)
            guard text.hasPrefix(name), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let retries = Int(String(decoding: digits, as: UTF8.self))
            else { return nil }
            // Docker's 0 is no limit.
            self = .onFailure(retries: retries == 0 ? nil : retries)
        }
    }

    package var description: String {
        switch self {
        case .no: "no"
        case .onFailure(nil): "on-failure"
        case .onFailure(let retries?): "on-failure:\(retries)"
        case .always: "always"
        case .unlessStopped: "unless-stopped"
        }
    }
}
