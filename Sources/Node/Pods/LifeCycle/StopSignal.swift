import Linux

/// The names that core/v1.Signal has, beyond those that signal(7) shows first.
enum StopSignal {
    private static let others: [String: Int32] = ["SIGIOT": 6, "SIGCLD": 17, "SIGPOLL": 29]
    private static let realTime: ClosedRange<Int32> = 34...64

    /// nil when it is no signal.
    static func number(of name: String) -> Int32? {
        if let number = others[name] ?? Signal.number(of: name) { return number }
        let number: Int32?
        if name.hasPrefix("SIGRTMIN") {
            number = offset(name.dropFirst(8), "+").map { realTime.lowerBound + $0 }
        } else if name.hasPrefix("SIGRTMAX") {
            number = offset(name.dropFirst(8), "-").map { realTime.upperBound - $0 }
        } else {
            return nil
        }
        return number.flatMap { realTime.contains($0) ? $0 : nil }
    }

    private static func offset(_ text: Substring, _ sign: Character) -> Int32? {
        if text.isEmpty { return 0 }
        guard text.first == sign, let number = Int32(text.dropFirst()), (0...30).contains(number) else { return nil }
        return number
    }
}
