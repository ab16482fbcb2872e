/// A flag whose value cannot be used: which, what was given, why not, and what to write instead.
struct FlagError: Error, Hashable, CustomStringConvertible {
    /// As it is written on the command line: "--memory".
    var flag: String
    /// nil where the flag has none.
    var value: String?
    var problem: String
    var advice: String

    init(_ flag: String, _ value: String?, _ problem: String, advice: String = "") {
        self.flag = flag
        self.value = value
        self.problem = problem
        self.advice = advice
    }

    var description: String {
        let sentence = ([flag] + (value.map { [Self.shown($0)] } ?? [])).joined(separator: " ") + ": " + problem
        return advice.isEmpty ? sentence : "\(sentence). \(advice)"
    }

    private static func shown(_ value: String) -> String {
        value.isEmpty || value.contains(where: \.isWhitespace) ? "\"\(value)\"" : value
    }
}
