import CKernel

/// Reading and writing without waiting: the other half of `Readiness`.
extension Files {
    /// Reads what is there, at most the room given; 0 is the end, nil means that a read would wait.
    package static func readAvailable(_ fd: CInt, into room: inout [UInt8]) throws(SystemError) -> Int? {
        do {
            return try call("read") { room.withUnsafeMutableBytes { ck_read(fd, $0.baseAddress, $0.count) } }
        } catch  where error.code == .again { return nil }
    }

    /// The same into memory of the caller's.
    package static func readAvailable(_ fd: CInt, into room: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
        do { return try call("read") { ck_read(fd, room.baseAddress, room.count) } } catch where error.code == .again { return nil }
    }

    /// Writes as much as fits; nil means that a write would wait. A reader that is gone is EPIPE and no signal.
    package static func writeAvailable(_ bytes: ArraySlice<UInt8>, to fd: CInt) throws(SystemError) -> Int? {
        do {
            return try withoutPipeSignal { () throws(SystemError) in
                try call("write") { bytes.withUnsafeBytes { ck_write(fd, $0.baseAddress, $0.count) } }
            }
        } catch  where error.code == .again { return nil }
    }

    /// Sets the place where the next read of an open file begins to its first byte.
    package static func rewind(_ fd: CInt) throws(SystemError) { try call("rewind") { ck_lseek(fd, 0, SEEK_SET) } }

    /// Waits on this thread until `fd` is readable, poll(2).
    package static func waitUntilReadable(_ fd: CInt) throws(SystemError) {
        var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        try call("wait for descriptor", "\(fd)") { ck_poll(&entry, 1, -1) }
    }

    /// Waits on this thread until one of two is readable, poll(2).
    package static func waitUntilReadable(_ first: CInt, or second: CInt) throws(SystemError) {
        var entries = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0),
        ]
        try call("wait for descriptors", "\(first) and \(second)") {
            entries.withUnsafeMutableBufferPointer { ck_poll($0.baseAddress, 2, -1) }
        }
    }

    /// Keeps a SIGPIPE that `body` raises from reaching the program: it is sent to the writing thread itself
    /// (pipe(7)), which blocks it and takes it away again unless one was pending before.
    private static func withoutPipeSignal<Value>(_ body: () throws(SystemError) -> Value) throws(SystemError) -> Value {
        let mask = Signal.mask([SIGPIPE])
        var before: UInt64 = 0
        var pending: UInt64 = 0
        _ = ck_sigprocmask(SIG_BLOCK, mask, &before)
        _ = ck_pending_signals(&pending)
        defer { _ = ck_sigprocmask(SIG_SETMASK, before, nil) }
        do { return try body() } catch {
            if error.code == .brokenPipe, pending & mask == 0 { while ck_take_signal(mask) == -Int(EINTR) {} }
            throw error
        }
    }
}

extension Files {
    /// Where the next read or write of an open file begins, lseek(2).
    package static func position(of fd: CInt) throws(SystemError) -> Int {
        try call("ask for the position of", "a file") { ck_lseek(fd, 0, SEEK_CUR) }
    }

    /// Sets it.
    package static func seek(_ fd: CInt, to position: Int) throws(SystemError) {
        try call("set the position of", "a file") { ck_lseek(fd, position, SEEK_SET) }
    }
}
