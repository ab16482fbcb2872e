/// The memory of the machine that functions may have, and who has how much of it.
///
/// An instance counts with its memory size, which is the limit of its cgroup, from the order to start it until nothing of
/// it runs any more. So the sum of the limits is never above the budget, whatever the programs do.
///
/// Invariants (test: `never is more memory given than there is`):
/// 1. `usedMB` is the sum of what was taken and not given back, and at most `totalMB`.
struct MemoryBudget: Hashable, Sendable {
    let totalMB: Int
    private(set) var usedMB = 0
    /// Of these, what is waited for: instances that were told to stop.
    private(set) var leavingMB = 0
    /// By function.
    private var held: [String: Int] = [:]

    init(totalMB: Int) { self.totalMB = totalMB }

    var freeMB: Int { totalMB - usedMB }

    func fits(_ needMB: Int) -> Bool { needMB <= freeMB }

    /// What all versions of a function have.
    func heldMB(_ function: String) -> Int { held[function, default: 0] }

    mutating func take(_ needMB: Int, for function: String) {
        precondition(fits(needMB), "\(needMB) MB were given of \(freeMB)")
        usedMB += needMB
        held[function, default: 0] += needMB
    }

    mutating func give(_ needMB: Int, of function: String) {
        usedMB -= needMB
        let left = held[function, default: 0] - needMB
        precondition(usedMB >= 0 && left >= 0, "\(function) gives back more memory than it has")
        held[function] = left == 0 ? nil : left
    }

    mutating func willGive(_ needMB: Int) { leavingMB += needMB }
    /// It is given back, or not waited for any more.
    mutating func hasGiven(_ needMB: Int) { leavingMB -= needMB }
}
