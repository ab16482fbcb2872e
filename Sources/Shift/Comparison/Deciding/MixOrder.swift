/// Which program of a mix the next call goes to, one at a time: smooth weighted round robin, so that every stretch of calls
/// has the mix's shares.
package struct MixOrder: Hashable, Sendable {
    private let weights: [Double]
    private var credits: [Double]

    package init(weights: [Double]) {
        precondition(!weights.isEmpty && weights.allSatisfy { $0 > 0 }, "a mix has parts")
        self.weights = weights
        credits = weights.map { _ in 0 }
    }

    package mutating func next() -> Int {
        for index in weights.indices { credits[index] += weights[index] }
        let chosen = credits.indices.max { credits[$0] < credits[$1] || (credits[$0] == credits[$1] && $0 > $1) }!
        credits[chosen] -= weights.reduce(0, +)
        return chosen
    }
}
