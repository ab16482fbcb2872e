import CKernel

/// Memory straight from the kernel, mmap(2).
package enum Memory {
    private static let page = 4096

    /// Maps zeroed private memory whose page below the first byte faults when touched.
    ///
    /// Running out of address space is not survivable here and traps.
    package static func mapWithGuard(bytes: Int) -> UInt {
        let total = bytes + page
        let at = mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let at, at != UnsafeMutableRawPointer(bitPattern: -1) else { preconditionFailure("no address space for a child's stack") }
        precondition(mprotect(at, page, PROT_NONE) == 0, "a stack's guard page cannot be protected")
        return UInt(bitPattern: at) + UInt(page)
    }

    package static func unmapWithGuard(_ address: UInt, bytes: Int) {
        munmap(UnsafeMutableRawPointer(bitPattern: address - UInt(page)), bytes + page)
    }
}
