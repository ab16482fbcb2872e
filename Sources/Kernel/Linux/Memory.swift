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
        guard let at, at != UnsafeMutableRawPointer(bitPattern: -1) else {
            preconditionFailure("no address space for a child's stack")
        }
        precondition(mprotect(at, page, PROT_NONE) == 0, "a stack's guard page cannot be protected")
        return UInt(bitPattern: at) + UInt(page)
    }

    package static func unmapWithGuard(_ address: UInt, bytes: Int) {
        munmap(UnsafeMutableRawPointer(bitPattern: address - UInt(page)), bytes + page)
    }
}

extension Memory {
    /// Lets go of the pages of our own machine code, madvise(2), MADV_DONTNEED: what is run again comes back from the
    /// page cache by itself, what only the start needed does not count as ours any more.
    ///
    /// Only mappings that are executable and were never written are touched, so nothing can be lost.
    package static func releaseCode() {
        guard let maps = try? Files.readText("/proc/self/maps") else { return }
        for line in maps.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
            let bounds = fields[0].split(separator: "-")
            guard bounds.count == 2, let start = UInt(bounds[0], radix: 16), let end = UInt(bounds[1], radix: 16) else {
                continue
            }
            madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
        }
    }
}

extension Memory {
    /// Gives the kernel back what the C library keeps of memory that was freed, malloc_trim(3). With hundreds of megabytes
    /// this takes some milliseconds, in which threads that allocate may wait: not for the cooperative pool.
    package static func giveBack() { _ = ck_trim_memory() }

    /// Bytes of this process that are in memory, belong to no file, and that nobody holds: what `giveBack` can be about.
    /// Stacks and the C library's own notes are among them.
    package static func idleBytes() throws(SystemError) -> Int {
        let fields = try Files.readText("/proc/self/statm").split(separator: " ")
        // In pages: all, resident, of which shared with files; proc_pid_statm(5).
        guard fields.count > 2, let resident = Int(fields[1]), let shared = Int(fields[2]) else { return 0 }
        return max(0, (resident - shared) * page - ck_allocated_bytes())
    }
}
