/// What of a run is compared.
package enum ComparedPart: Hashable, Sendable, CustomStringConvertible {
    /// How the program ended.
    case exit
    case output
    case errors
    /// A declared output file, by the name that it was declared with.
    case file(String)

    /// "stdout", "file=prices.csv"
    package var description: String {
        switch self {
        case .exit: "exit"
        case .output: "stdout"
        case .errors: "stderr"
        case .file(let name): "file=\(name)"
        }
    }

    package init?(_ text: some StringProtocol) {
        switch text {
        case "exit": self = .exit
        case "stdout": self = .output
        case "stderr": self = .errors
        default:
            guard text.hasPrefix("file="), text.utf8.count > 5 else { return nil }
            self = .file(String(text.dropFirst(5)))
        }
    }
}
