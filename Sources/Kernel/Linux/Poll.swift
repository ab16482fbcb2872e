import CKernel

/// One epoll instance: which of many descriptors can be read or written, epoll(7).
package struct Poll: ~Copyable, Sendable {
    private let fd: OwnedFD

    package init() throws(SystemError) {
        fd = OwnedFD(adopting: CInt(try call("make an epoll instance") { ck_epoll_create() }))
    }

    /// The descriptor of the instance itself, which is readable while any event waits.
    package var raw: CInt { fd.raw }

    /// What to wait for.
    package struct Interest: OptionSet, Sendable {
        package var rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: EPOLLIN.rawValue)
        package static let writable = Interest(rawValue: EPOLLOUT.rawValue)
        /// Something exceptional: how the kernel's control files tell of a change.
        package static let priority = Interest(rawValue: EPOLLPRI.rawValue)
        package static let hangUp = Interest(rawValue: EPOLLHUP.rawValue)
        package static let failed = Interest(rawValue: EPOLLERR.rawValue)
        /// One event only, until the interest is set again.
        package static let once = Interest(rawValue: EPOLLONESHOT.rawValue)
    }

    /// One readiness, with the token given when the descriptor was added.
    package struct Event: Sendable {
        package var token: UInt64
        package var interest: Interest
    }

    package borrowing func add(_ descriptor: CInt, _ interest: Interest, token: UInt64) throws(SystemError) {
        let epoll = fd.raw
        try call("watch descriptor", "\(descriptor)") { ck_epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, interest.rawValue, token) }
    }

    package borrowing func change(_ descriptor: CInt, _ interest: Interest, token: UInt64) throws(SystemError) {
        let epoll = fd.raw
        try call("watch descriptor", "\(descriptor)") { ck_epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, interest.rawValue, token) }
    }

    package borrowing func remove(_ descriptor: CInt) {
        _ = ck_epoll_ctl(fd.raw, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Waits for events, at most `timeout` milliseconds (-1: without end).
    package borrowing func wait(timeoutMilliseconds timeout: CInt = -1, into events: inout [Event]) throws(SystemError) {
        events.removeAll(keepingCapacity: true)
        let epoll = fd.raw
        let limit = 64
        try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: limit) { room throws(SystemError) in
            let count = try call("wait for events") { ck_epoll_wait(epoll, room.baseAddress!, CInt(limit), timeout) }
            for index in 0..<count {
                let event = room.baseAddress! + index
                events.append(
                    Event(token: ck_epoll_event_data(event), interest: Interest(rawValue: ck_epoll_event_events(event))))
            }
        }
    }
}

/// Asking one descriptor, poll(2).
package enum Descriptors {
    /// Whether any of several can be read (or has hung up) within a time, milliseconds; -1 waits without end.
    package static func areAnyReadable(_ fds: [CInt], withinMilliseconds timeout: CInt) throws(SystemError) -> Bool {
        try areAnyReady(toRead: fds, toWrite: [], withinMilliseconds: timeout)
    }

    /// The same, with others that can be written (or have failed).
    package static func areAnyReady(
        toRead readers: [CInt], toWrite writers: [CInt], withinMilliseconds timeout: CInt
    ) throws(SystemError) -> Bool {
        var requests = readers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        requests += writers.map { pollfd(fd: $0, events: Int16(POLLOUT), revents: 0) }
        return try call("wait for descriptors") { ck_poll(&requests, UInt(requests.count), timeout) } > 0
    }

    /// Whether it can be read (or has hung up) within a time; -1 waits without end.
    package static func isReadable(_ fd: CInt, withinMilliseconds timeout: CInt) throws(SystemError) -> Bool {
        var request = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return try call("wait for a descriptor") { ck_poll(&request, 1, timeout) } > 0
    }

    /// Whether it can be written (or has failed) within a time; -1 waits without end.
    package static func isWritable(_ fd: CInt, withinMilliseconds timeout: CInt) throws(SystemError) -> Bool {
        var request = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        return try call("wait for a descriptor") { ck_poll(&request, 1, timeout) } > 0
    }
}

extension Descriptors {
    /// Whether there is a descriptor of this number.
    package static func isOpen(_ fd: CInt) -> Bool { ck_fcntl_get_fd(fd) >= 0 }

    /// A second descriptor of the same open file with a number not below `lowest`, close-on-exec.
    package static func duplicate(_ fd: CInt, lowest: CInt = 0) throws(SystemError) -> OwnedFD {
        OwnedFD(adopting: CInt(try call("duplicate descriptor", "\(fd)") { ck_dup_cloexec(fd, lowest) }))
    }

    /// Writes once what there is room for; returns how many bytes. EAGAIN on a non-blocking descriptor without room.
    package static func write(_ bytes: [UInt8], to fd: CInt) throws(SystemError) -> Int {
        try call("write") { bytes.withUnsafeBytes { ck_write(fd, $0.baseAddress, $0.count) } }
    }

    /// Reads once into a buffer; returns how many bytes, 0 at the end. EAGAIN on a non-blocking descriptor without any.
    package static func read(_ fd: CInt, into buffer: inout [UInt8]) throws(SystemError) -> Int {
        try call("read") { buffer.withUnsafeMutableBytes { ck_read(fd, $0.baseAddress, $0.count) } }
    }
}
