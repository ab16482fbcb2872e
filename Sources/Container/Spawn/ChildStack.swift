import Linux
import Synchronization

/// Stacks for children that share our memory, kept for reuse. The child's loop is shallow: it needs a few
/// hundred bytes and the kernel's signal frame never lands here, since all signals are blocked.
struct ChildStack: Sendable {
    /// What the child may use; the page below it faults (a guard).
    static let usableBytes = 16 << 10
    /// How many idle stacks are kept; more are unmapped.
    private static let idleLimit = 64

    private let address: UInt
    private static let idle = Mutex<[ChildStack]>([])

    /// Lowest usable address.
    var base: UnsafeMutablePointer<UInt8> { UnsafeMutablePointer(bitPattern: address)! }

    static func take() -> ChildStack {
        if let stack = idle.withLock({ $0.popLast() }) { return stack }
        return ChildStack(address: Memory.mapWithGuard(bytes: usableBytes))
    }

    static func giveBack(_ stack: ChildStack) {
        let kept = idle.withLock {
            guard $0.count < idleLimit else { return false }
            $0.append(stack)
            return true
        }
        if !kept { Memory.unmapWithGuard(stack.address, bytes: usableBytes) }
    }
}
