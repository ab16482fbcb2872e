import CKernelBare

/// poll(2)
enum Poll {
    static let input: Int16 = 1
    static let output: Int16 = 4
}

/// Error numbers, negated as calls return them.
enum Failure {
    static let interrupted = -4
    static let again = -11
}

/// One message of the node.
struct Answer {
    /// The connection is at its end, or this is no message of this version.
    static let none: UInt16 = 0
    /// Execute the original; the first descriptor, if any, is the original.
    static let original: UInt16 = 1
    /// A target will answer: pass signals on from now.
    static let target: UInt16 = 2
    /// The target is about to be started, under this token: from now on the original must not run by itself.
    static let committed: UInt16 = 3
    /// The target has its own copies of the standard streams.
    static let started: UInt16 = 4
    static let exited: UInt16 = 5
    static let signaled: UInt16 = 6
    /// The original, with copies of its streams for the node.
    static let shadow: UInt16 = 7

    var kind = Answer.none
    var value: Int32 = 0
    var flags: UInt32 = 0
    var token: (UInt64, UInt64) = (0, 0)

    static let bytes = 32
    static let version: UInt16 = 1
    /// "FKSX"
    static let magic: UInt32 = 0x5853_4b46
}

/// The first message of the shim: 64 bytes, then argv and the environment as they lie on the stack.
enum Head {
    static let call: UInt16 = 1
    static let resume: UInt16 = 2
    static let signal: UInt16 = 3
    /// The answer `target` was read: the original will not run unless the node says so, or is gone before it commits.
    static let ready: UInt16 = 4
    static let bytes = 64
}

extension Shim {
    /// Connects without waiting: a node whose queue is full answers nobody in time.
    mutating func connect() -> Bool {
        let made = ckb_socket()
        if made < 0 { return false }
        socket = Int32(truncatingIfNeeded: made)
        // Where a standard stream is closed the socket would take its place.
        if socket <= 2, !liftSocket() { return false }
        let address = memory.address
        address.pointee.sun_family = 1
        memcpy(UnsafeMutableRawPointer(address) + 2, record.socketPath, 108)
        if ckb_connect(socket, address) < 0 { return false }
        return true
    }

    private mutating func liftSocket() -> Bool {
        let lifted = ckb_dup_above(socket, 3)
        _ = ckb_close(socket)
        socket = Int32(truncatingIfNeeded: lifted)
        return lifted >= 0
    }

    /// Sends what this call is. The strings are one block of the initial stack and go out without being copied.
    func sendCall(_ left: inout ckb_time) -> Bool {
        let block = UnsafeRawPointer(bitPattern: arguments[0])!
        let last = environmentCount > 0 ? environment[environmentCount - 1] : arguments[argumentCount - 1]
        var end = UnsafePointer<UInt8>(bitPattern: last)!
        while end.pointee != 0 { end += 1 }
        let count = UnsafeRawPointer(end) + 1 - block
        fillHead(Head.call)
        memory.head.storeBytes(of: UInt32(truncatingIfNeeded: argumentCount), toByteOffset: 8, as: UInt32.self)
        memory.head.storeBytes(of: UInt32(truncatingIfNeeded: environmentCount), toByteOffset: 12, as: UInt32.self)
        memory.head.storeBytes(of: UInt64(count), toByteOffset: 16, as: UInt64.self)
        // Before a target is waited for with all signals blocked.
        var mask: UInt64 = 0
        _ = ckb_mask(0, nil, &mask)
        memory.head.storeBytes(of: mask, toByteOffset: 56, as: UInt64.self)
        return send(UnsafeRawPointer(memory.head), Head.bytes, block, count, &left)
    }

    func fillHead(_ kind: UInt16) {
        memset(memory.head, 0, Head.bytes)
        memory.head.storeBytes(of: Answer.magic, toByteOffset: 0, as: UInt32.self)
        memory.head.storeBytes(of: Answer.version, toByteOffset: 4, as: UInt16.self)
        memory.head.storeBytes(of: kind, toByteOffset: 6, as: UInt16.self)
        memory.head.storeBytes(of: socket, toByteOffset: 24, as: Int32.self)
        memcpy(memory.head + 28, record.shift, 28)
    }

    /// Sends two pieces as one, waiting for room as long as time is left.
    func send(
        _ first: UnsafeRawPointer, _ firstCount: Int, _ second: UnsafeRawPointer, _ secondCount: Int,
        _ left: inout ckb_time
    ) -> Bool {
        var sent = 0
        let all = firstCount + secondCount
        while sent < all {
            let inFirst = sent < firstCount ? sent : firstCount
            let inSecond = sent - inFirst
            var vectors = (
                ckb_vector(base: first + inFirst, count: UInt64(firstCount - inFirst)),
                ckb_vector(base: second + inSecond, count: UInt64(secondCount - inSecond))
            )
            let result = withUnsafeMutablePointer(to: &vectors) { vectors in
                var message = ckb_message()
                message.vectors = UnsafeMutableRawPointer(vectors).assumingMemoryBound(to: ckb_vector.self)
                message.vector_count = 2
                return ckb_send(socket, &message)
            }
            if result > 0 {
                sent += result
            } else if result == Failure.again {
                guard waits(for: Poll.output, &left) else { return false }
            } else if result != Failure.interrupted {
                return false
            }
        }
        return true
    }

    /// Waits until the socket is ready; false when the time is over. The kernel counts `left` down, ppoll(2).
    func waits(for events: Int16, _ left: inout ckb_time) -> Bool {
        while true {
            var entry = ckb_poll(fd: socket, events: events, found: 0)
            let result = ckb_poll(&entry, 1, &left)
            if result > 0 { return true }
            if result != Failure.interrupted { return false }
        }
    }

    /// The next message and its descriptors, which are close-on-exec. `Answer.none` stands for everything else.
    func receive() -> Answer {
        for index in 0..<Memory.descriptorLimit { memory.descriptors[index] = -1 }
        var answer = Answer()
        var vector = ckb_vector(base: UnsafeRawPointer(memory.answer), count: UInt64(Answer.bytes))
        let result = withUnsafeMutablePointer(to: &vector) { vector in
            var message = ckb_message()
            message.vectors = vector
            message.vector_count = 1
            message.control = UnsafeMutableRawPointer(memory.control)
            message.control_count = UInt64(16 + 4 * Memory.descriptorLimit)
            while true {
                let result = ckb_receive(socket, &message)
                if result != Failure.interrupted {
                    // Of a call that failed the kernel has written nothing.
                    if result > 0, message.control_count > 16 { takeDescriptors() }
                    return result
                }
            }
        }
        let bytes = memory.answer
        guard result == Answer.bytes, bytes.load(as: UInt32.self) == Answer.magic,
            bytes.load(fromByteOffset: 4, as: UInt16.self) == Answer.version
        else { return answer }
        answer.kind = bytes.load(fromByteOffset: 6, as: UInt16.self)
        answer.value = bytes.load(fromByteOffset: 8, as: Int32.self)
        answer.flags = bytes.load(fromByteOffset: 12, as: UInt32.self)
        answer.token.0 = bytes.load(fromByteOffset: 16, as: UInt64.self)
        answer.token.1 = bytes.load(fromByteOffset: 24, as: UInt64.self)
        return answer
    }

    private func takeDescriptors() {
        let control = UnsafeRawPointer(memory.control)
        let count = (Int(control.load(as: UInt64.self)) - 16) / 4
        for index in 0..<min(count, Memory.descriptorLimit) {
            memory.descriptors[index] = control.load(fromByteOffset: 16 + 4 * index, as: Int32.self)
        }
    }
}

// Swift's own, without a C library to declare them: Start.S has them.
@_extern(c)
@discardableResult
func memcpy(_ to: UnsafeMutableRawPointer, _ from: UnsafeRawPointer, _ count: Int) -> UnsafeMutableRawPointer

@_extern(c)
@discardableResult
func memset(_ to: UnsafeMutableRawPointer, _ byte: Int32, _ count: Int) -> UnsafeMutableRawPointer
