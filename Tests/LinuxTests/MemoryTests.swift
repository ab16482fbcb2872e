import Glibc
import Linux
import Testing

@Suite struct MemoryTests {
    @Test func `freed memory goes back to the kernel`() throws {
        // Small blocks, and the last of them stays: below it the C library keeps what is freed.
        var blocks = (0..<65_536).map { _ -> UnsafeMutableRawPointer in
            let block = malloc(1000)!
            memset(block, 1, 1000)
            return block
        }
        let last = blocks.removeLast()
        for block in blocks { free(block) }
        let before = try Memory.idleBytes()
        Memory.giveBack()
        let after = try Memory.idleBytes()
        #expect(before - after > 32 << 20, "\(before) and \(after)")
        free(last)
    }
}
