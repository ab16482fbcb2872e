/// What went wrong between this program and a service of the bus.
package enum BusFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bus cannot be reached, or ended the connection; in words.
    case unreachable(String)
    /// Nothing came in time; what was waited for.
    case timedOut(String)
    /// What came is not D-Bus.
    case malformed(String)
    /// The service refused: the error's name and its message.
    case refused(name: String, message: String)

    package var description: String {
        switch self {
        case .unreachable(let why): "the message bus cannot be reached: \(why)"
        case .timedOut(let what): "no answer in time: \(what)"
        case .malformed(let what): "the message bus sent something malformed: \(what)"
        case .refused(let name, let message): message.isEmpty ? name : "\(message) (\(name))"
        }
    }

    /// The name of the error that a service answered with.
    package var name: String? {
        if case .refused(let name, _) = self { return name }
        return nil
    }
}
