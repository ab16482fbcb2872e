import Linux

/// When a node gives freed memory back to the kernel. Pure.
///
/// After a burst (a list of thousands of objects, hundreds of pods that came and went) the C library keeps what it got, for
/// the next one. A node runs for months, and whoever runs it looks at its memory.
///
/// Invariants
/// 1. While memory comes and goes nothing is given back. (test: `memory goes back when a burst is over`)
/// 2. What could not be given back is not tried again and again. (test: `what stays is not tried again`)
struct MemoryReturn: Sendable {
    /// Between two looks.
    static let interval = Duration.seconds(15)
    /// Less is not worth the work.
    static let worthwhile = 16 << 20
    /// So much comes and goes with what a node always does.
    static let calm = 4 << 20

    private var last: Int?
    /// What stayed the last time.
    private var stayed = 0

    /// - Parameter idle: bytes that nobody holds.
    /// - Returns: whether they are to be given back now.
    mutating func look(idle: Int) -> Bool {
        defer { last = idle }
        guard let last, abs(idle - last) <= Self.calm else { return false }
        return idle >= stayed + Self.worthwhile
    }

    /// - Parameter idle: what is left.
    mutating func gaveBack(idle: Int) {
        stayed = idle
        last = idle
    }

    /// Looks until the task is cancelled.
    static func keep() async {
        var state = MemoryReturn()
        while (try? await Task.sleep(for: interval)) != nil {
            guard let idle = try? await BlockingPool.shared.run({ () throws(SystemError) in try Memory.idleBytes() })
            else { return }
            guard state.look(idle: idle) else { continue }
            let left = try? await BlockingPool.shared.run { () throws(SystemError) in
                Memory.giveBack()
                return try Memory.idleBytes()
            }
            state.gaveBack(idle: left ?? idle)
        }
    }
}
