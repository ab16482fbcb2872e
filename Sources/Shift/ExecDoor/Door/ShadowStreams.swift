internal import Linux
internal import Synchronization

/// How a shadowed call's streams are seen without changing what the caller and the original have.
///
/// - A file is read as it lies there: the target's input from the same place on, through an open file of its own; what the
///   original wrote is what lies behind the place where it began.
/// - A pipe whose writers are gone is copied as it is (tee(2)), and left alone.
/// - Other pipes and sockets are carried by a process beside the original (the shim's carrier), which gives us a copy. The
///   input of a process that shares it with its parent is not: bytes that the original leaves unread would be lost to
///   the parent.
/// - /dev/null is what it is. Terminals are not shadowed at all.
struct ShadowStreams: Sendable {
    /// What the shim is asked to carry, and the descriptors for that.
    var carried: ShimAnswer.Streams = []
    var copies: [SharedFD] = []
    /// The target's standard input; nil: it comes through `inputCopy`, or is empty.
    var input: SharedFD?
    /// Our ends of copies.
    var inputCopy: SharedFD?
    var output = Side.unseen
    var errors = Side.unseen

    enum Side: Sendable {
        /// Closed, or /dev/null.
        case unseen
        case copy(SharedFD)
        /// An open file of ours, and where the original's output begins in it.
        case file(SharedFD, from: Int)
        /// Standard error is the open file that standard output is.
        case merged
    }

    /// - Throws: `Unshadowed` that says why this call is not shadowed.
    init(_ call: ShimCall) throws(Unshadowed) {
        do throws(SystemError) {
            let streams = try (call.descriptor(0), call.descriptor(1), call.descriptor(2))
            for stream in [streams.0, streams.1, streams.2] {
                if let stream, Terminal.isTerminal(stream.raw) { throw SystemError("", code: .notTerminal) }
                withExtendedLifetime(stream) {}
            }
            if let source = streams.0 { try takeInput(source, call) }
            if let sink = streams.1 { output = try side(sink, .output, call) }
            guard let sink = streams.2 else { return }
            if streams.1 != nil, OtherProcess.areSame(1, 2, of: call.head.pid) {
                errors = .merged
                if carried.contains(.output) { carried.insert(.mergesErrors) }
            } else {
                errors = try side(sink, .errors, call)
            }
        } catch  where error.code == .notTerminal {
            throw Unshadowed("it uses a terminal")
        } catch  where error.code == .busy {
            throw Unshadowed("it shares its standard input with its parent, which would miss what is read ahead")
        } catch { throw Unshadowed("its streams cannot be copied: \(error)") }
    }

    var withoutCopies: ShadowStreams {
        var streams = self
        streams.copies = []
        return streams
    }

    private static let roomBytes: Int32 = 4 << 20

    struct Unshadowed: Error {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private mutating func takeInput(_ source: SharedFD, _ call: ShimCall) throws(SystemError) {
        defer { withExtendedLifetime(source) {} }
        let status = try Files.status(of: source.raw)
        switch status.kind {
        case .regular:
            let own = SharedFD(try Files.open("/proc/self/fd/\(source.raw)", 0))
            try Files.seek(own.raw, to: try Files.position(of: source.raw))
            input = own
        case .pipe:
            if try Descriptors.hasHungUp(source.raw) {
                input = try Self.copied(source)
                return
            }
            try Self.refuseShared(status, call)
            try carryInput()
        case .socket:
            try Self.refuseShared(status, call)
            try carryInput()
        default: break
        }
    }

    private mutating func carryInput() throws(SystemError) {
        inputCopy = try carry(.input)
    }

    private mutating func side(
        _ sink: SharedFD, _ stream: ShimAnswer.Streams, _ call: ShimCall
    ) throws(SystemError) -> Side {
        defer { withExtendedLifetime(sink) {} }
        let status = try Files.status(of: sink.raw)
        switch status.kind {
        case .regular:
            let own = SharedFD(try Files.open("/proc/self/fd/\(sink.raw)", 0))
            let position = try Files.position(of: sink.raw)
            // What is appended begins at the end, wherever the file stands.
            return .file(own, from: try Files.appends(sink.raw) ? status.size : position)
        case .pipe, .socket:
            // Others write to it as well: what this call writes must be there before its end is seen.
            if Self.isShared(status, call, by: Self.isWritable) { carried.insert(.waits) }
            return .copy(try carry(stream))
        default: return .unseen
        }
    }

    private mutating func carry(_ stream: ShimAnswer.Streams) throws(SystemError) -> SharedFD {
        var pair = try StreamSocket.pair()
        let ours = SharedFD(pair.takeFirst())
        let theirs = SharedFD(pair.takeSecond())
        // The carrier never waits for us: what we have not read by the time this is full is not compared.
        try Files.setNonBlocking(theirs.raw)
        try StreamSocket.setRoom(theirs.raw, bytes: Self.roomBytes)
        // A byte that the carrier takes when the stream has come to its end: else the socket is reset, and we know that
        // something is missing.
        try Files.writeAll([1], to: ours.raw)
        carried.insert(stream)
        copies.append(theirs)
        return ours
    }

    /// What waits in a pipe that nobody writes to any more, in another one.
    private static func copied(_ source: SharedFD) throws(SystemError) -> SharedFD {
        let waiting = try Descriptors.waitingBytes(source.raw)
        var pipe = try Files.pipe()
        let writer = SharedFD(pipe.takeWriter())
        let reader = SharedFD(pipe.takeReader())
        if waiting > 0 {
            try Descriptors.setPipeBytes(writer.raw, max(waiting, 65536))
            let count = try OtherProcess.tee(from: source.raw, to: writer.raw, count: waiting)
            guard count == waiting else { throw SystemError("copy standard input", code: .noSpace) }
        }
        withExtendedLifetime(writer) {}
        return reader
    }

    private static func refuseShared(_ status: FileStatus, _ call: ShimCall) throws(SystemError) {
        if isShared(status, call, by: Self.isReadable) { throw SystemError("copy standard input", code: .busy) }
    }

    /// Whether the caller holds an end of this pipe or socket, too. It has just made this process, and may be about to
    /// close it. (We hold one ourselves; when we are the caller nothing can be told.)
    private static func isShared(_ status: FileStatus, _ call: ShimCall, by isWanted: (String) -> Bool) -> Bool {
        let parent = call.surroundings.traits.parent
        if parent == OwnProcess.pid { return false }
        for _ in 0..<8 {
            if !isHeld(status, by: parent, isWanted) { return false }
            Clock.pauseBlocking(milliseconds: 1)
        }
        return true
    }

    private static func isReadable(_ text: String) -> Bool { !ShimCall.isWriteOnly(text) }
    private static func isWritable(_ text: String) -> Bool { !ShimCall.isReadOnly(text) }

    private static func isHeld(_ status: FileStatus, by pid: Int32, _ isWanted: (String) -> Bool) -> Bool {
        guard let names = try? Files.list("/proc/\(pid)/fd") else { return false }
        for name in names {
            guard let held = try? Files.status("/proc/\(pid)/fd/\(name)"), held.device == status.device,
                held.inode == status.inode
            else { continue }
            guard status.kind == .pipe, let text = try? Files.readText("/proc/\(pid)/fdinfo/\(name)") else {
                return true
            }
            if isWanted(text) { return true }
        }
        return false
    }
}
