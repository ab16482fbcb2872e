/// A flag whose value cannot be used: which, what was given, why not, and what to write instead.
struct FlagError: Error, Hashable, CustomStringConvertible {
    /// As it is written on the command line: "--memory".
    var flag: String
    var value: String
    var problem: String
    var advice: String

    init(_ flag: String, _ value: String, _ problem: String, advice: String = "") {
        self.flag = flag
        self.value = value
        self.problem = problem
        self.advice = advice
    }

    var description: String {
        let shown = value.isEmpty || value.contains(where: \.isWhitespace) ? "\"\(value)\"" : value
        let sentence = "\(flag) \(shown): \(problem)"
        return advice.isEmpty ? sentence : "\(sentence). \(advice)"
    }
}
