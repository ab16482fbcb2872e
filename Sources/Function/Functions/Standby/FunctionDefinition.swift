/// A program that is kept on standby: what it is called, what to start, and how its pool behaves.
package struct FunctionDefinition: Hashable, Sendable {
    /// What lists and errors call it. Several programs may have one name as long as nobody defines it.
    package var name: String
    /// What to start, as text that only the provider reads. Calls with equal name and text share a pool.
    package var program: String
    package var pool: PoolConfiguration

    package init(name: String, program: String, pool: PoolConfiguration) {
        self.name = name
        self.program = program
        self.pool = pool
    }
}

extension FunctionDefinition {
    /// What makes it the same function again, however its pool is configured.
    var key: Key { Key(name: name, program: program) }

    struct Key: Hashable, Sendable {
        var name: String
        var program: String
    }
}

/// A function in numbers.
package struct FunctionStatus: Hashable, Sendable {
    package var definition: FunctionDefinition
    package var counts: PoolCounts
    /// Whether it is being replaced or removed: it serves what it has accepted.
    package var isDraining: Bool
}
