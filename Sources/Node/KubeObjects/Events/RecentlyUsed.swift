/// A dictionary that forgets what was used longest ago when it becomes larger than `limit`.
struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let limit: Int
    private var values: [Key: (value: Value, used: Int)] = [:]
    private var uses = 0

    init(limit: Int) {
        precondition(limit > 0, "a dictionary that remembers nothing")
        self.limit = limit
    }

    var count: Int { values.count }

    subscript(key: Key) -> Value? {
        mutating get {
            guard values[key] != nil else { return nil }
            uses += 1
            values[key]!.used = uses
            return values[key]!.value
        }
        set {
            guard let newValue else {
                values[key] = nil
                return
            }
            uses += 1
            values[key] = (newValue, uses)
            if values.count > limit { forget() }
        }
    }

    /// A quarter at once, so that each use costs little.
    private mutating func forget() {
        let uses = values.values.map(\.used).sorted()
        let bound = uses[values.count - limit * 3 / 4]
        values = values.filter { $0.value.used >= bound }
    }
}
