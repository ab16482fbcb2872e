/// Reads options the way runc's command line does (Go's `flag`): `--name value`, `--name=value`, one hyphen or two,
/// and nothing after the first word that is no option.
///
/// Pure. Invariants (tests in CommandTests):
/// 1. An option nobody knows is an error, never ignored.
/// 2. What comes after `--`, or after the first plain word, is returned as it is.
package struct OptionReading: Sendable {
    /// One option.
    struct Option: Sendable {
        /// The first is the key of its values.
        var names: [String]
        /// Whether a value follows; else it is a switch.
        var takesValue: Bool

        static func value(_ names: String...) -> Option { Option(names: names, takesValue: true) }
        static func flag(_ names: String...) -> Option { Option(names: names, takesValue: false) }
    }

    /// Values by the option's first name, in the order given.
    private var values: [String: [String]] = [:]
    /// The words after the options.
    package private(set) var rest: [String] = []

    init(_ words: ArraySlice<String>, _ options: [Option]) throws(RuntimeFailure) {
        var words = words
        while let word = words.first, word.hasPrefix("-"), word != "-" {
            words.removeFirst()
            if word == "--" { break }
            let text = word.drop { $0 == "-" }
            guard word.utf8.count - text.utf8.count <= 2, let first = text.first, first != "=" else {
                throw RuntimeFailure("bad flag syntax: \(word)")
            }
            let equals = text.firstIndex(of: "=")
            let name = String(text[..<(equals ?? text.endIndex)])
            guard let option = options.first(where: { $0.names.contains(name) }) else {
                throw RuntimeFailure("flag provided but not defined: -\(name)")
            }
            let given = equals.map { String(text[text.index(after: $0)...]) }
            try take(option, name, given, &words)
        }
        rest = Array(words)
    }

    private mutating func take(
        _ option: Option, _ name: String, _ given: String?, _ words: inout ArraySlice<String>
    ) throws(RuntimeFailure) {
        let value: String
        if let given {
            value = given
        } else if !option.takesValue {
            value = "true"
        } else if let next = words.popFirst() {
            value = next
        } else {
            throw RuntimeFailure("flag needs an argument: -\(name)")
        }
        if !option.takesValue, value != "true", value != "false" {
            throw RuntimeFailure("invalid boolean value \"\(value)\" for -\(name)")
        }
        values[option.names[0], default: []].append(value)
    }

    /// The last value given.
    func value(_ name: String) -> String? { values[name]?.last }
    /// All values given.
    func all(_ name: String) -> [String] { values[name] ?? [] }
    /// Whether a switch is on.
    func isOn(_ name: String) -> Bool { values[name]?.last == "true" }

    /// A whole number within bounds.
    func number(_ name: String, in bounds: ClosedRange<Int>) throws(RuntimeFailure) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), bounds.contains(number) else {
            throw RuntimeFailure(
                "invalid value \"\(text)\" for flag -\(name): expected a number from \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
        return number
    }
}
