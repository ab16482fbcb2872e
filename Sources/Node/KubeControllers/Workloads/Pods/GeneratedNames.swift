import KubeObjects
import KubeStore
import Linux

/// Names for new objects: a prefix and five letters. They follow from the owner and the time, so that a decision can be
/// repeated, and avoid what is there.
struct GeneratedNames {
    /// Of a name that is also a label's value.
    private static let limit = 63
    private static let suffixLength = 5

    let prefix: String
    private let seed: StableHash
    private var taken: Set<String>
    private var count: Int64 = 0

    init(_ prefix: String, owner: KubeObject, _ now: Timestamp, taken: some Sequence<String>) {
        self.prefix = prefix
        var seed = StableHash()
        seed.add(owner.uid)
        seed.add(Int64(now.nanoseconds))
        self.seed = seed
        self.taken = Set(taken)
    }

    mutating func next(_ prefix: String? = nil) -> String {
        let base = (prefix ?? self.prefix).prefix(Self.limit - Self.suffixLength)
        while true {
            count += 1
            var hash = seed
            hash.add(count)
            let name = base + hash.letters(Self.suffixLength)
            if taken.insert(String(name)).inserted { return String(name) }
        }
    }
}
