package import Linux
internal import Glibc

/// Where the bytes of an archive come from. Reading may block: only a thread of Forkless' own reads.
package protocol ByteSource: AnyObject, Sendable {
    /// Fills some of `room` and returns how much; 0 at the end.
    func read(into room: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Int
}

/// A file, pipe or socket, read from where it stands.
package final class DescriptorSource: ByteSource {
    private let fd: SharedFD
    private let name: String
    private let cancellation: Cancellation?

    /// `name` is for errors. With a cancellation no read waits for longer than it takes to notice one.
    package init(_ fd: SharedFD, name: String = "the archive", cancellation: Cancellation? = nil) {
        self.fd = fd
        self.name = name
        self.cancellation = cancellation
    }

    package func read(into room: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Int {
        while true {
            try withExtendedLifetime(fd) { () throws(ArchiveFailure) in
                try cancellation?.waitUntilReady(fd.raw, CInt(POLLIN), "reading \(name) was cancelled.")
            }
            let count = withExtendedLifetime(fd) { Glibc.read(fd.raw, room.baseAddress, room.count) }
            let code = errno
            if count >= 0 { return count }
            switch code {
            case EINTR: continue
            // A pipe that somebody lent may be non-blocking; its flag is not ours to change.
            case EAGAIN: waitUntilReadable()
            default: throw ArchiveFailure(SystemError("read", name, code: Errno(code)))
            }
        }
    }

    private func waitUntilReadable() {
        var wait = pollfd(fd: fd.raw, events: Int16(POLLIN), revents: 0)
        withExtendedLifetime(fd) { _ = poll(&wait, 1, -1) }
    }
}

/// Bytes in memory.
package final class MemorySource: ByteSource, @unchecked Sendable {
    // Used by one thread at a time: whoever reads it.
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: [UInt8]) { rest = bytes[...] }

    package func read(into room: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Int {
        let count = min(room.count, rest.count)
        room.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}
