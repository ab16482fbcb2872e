/// How many requests began in each of the last seconds.
struct RequestRate: Hashable, Sendable {
    /// Over which requests per second are counted.
    static let window: Int64 = 10

    /// By the number of the second.
    private var seconds: [Int64: Int] = [:]

    /// - Parameter second: the number of the second that is now.
    mutating func count(now second: Int64) {
        if seconds[second] == nil { seconds = seconds.filter { $0.key >= second - Self.window } }
        seconds[second, default: 0] += 1
    }

    /// Over the last ten whole seconds.
    func perSecond(now second: Int64) -> Double {
        let sum = seconds.filter { second - Self.window <= $0.key && $0.key < second }.values.reduce(0, +)
        return Double(sum) / Double(Self.window)
    }
}
