import Linux
import TestKit
import Testing

@Suite struct StreamSocketTests {
    @Test(.enabled(if: isRoot)) func `a socket with room takes a burst before anybody reads`() throws {
        var pair = try StreamSocket.pair()
        let (writer, reader) = (SharedFD(pair.takeFirst()), SharedFD(pair.takeSecond()))
        try Files.setNonBlocking(writer.raw)
        try StreamSocket.setRoom(writer.raw, bytes: 4 << 20)
        // In pieces, as a carrier writes: each costs the kernel more than its bytes.
        let piece = [UInt8](repeating: 7, count: 4096)
        var written = 0
        while written < 1 << 20, let count = try Files.writeAvailable(piece[...], to: writer.raw) { written += count }
        #expect(written >= 1 << 20)
        withExtendedLifetime(reader) {}
    }
}
