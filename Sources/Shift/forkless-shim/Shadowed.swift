import CKernelBare

/// A stream that is copied to the node on its way.
struct CopiedStream {
    /// Where bytes come from and go to; -1: this stream is not copied, or at its end.
    var from: Int32 = -1
    var to: Int32 = -1
    /// Takes the copy; -1: nobody wants it any more.
    var copy: Int32 = -1

    var isOpen: Bool { from >= 0 }
}

extension Shim {
    /// Executes the original with pipes where `streams` has bits 1, 2, 4 (standard input, output, error), bit 8 meaning
    /// that standard error is the same file as standard output. The descriptors are the original, if bit 16 is set, and
    /// those that take the copies.
    ///
    /// A process of its own carries the bytes, so that nothing depends on the node: it leaves the caller's session, and is
    /// no child of the original, which might wait for it.
    func executeShadowed(streams: UInt32) -> Never {
        var next = 0
        func take() -> Int32 {
            next += 1
            return memory.descriptors[next - 1]
        }
        let original = streams & 16 != 0 ? take() : -1
        var copied = (CopiedStream(), CopiedStream(), CopiedStream())
        var ends: (Int32, Int32, Int32) = (-1, -1, -1)
        var isComplete = true
        if streams & 1 != 0 {
            let pipe = makePipe()
            copied.0 = CopiedStream(from: 0, to: pipe.1, copy: take())
            ends.0 = pipe.0
            isComplete = isComplete && pipe.0 >= 0
        }
        if streams & 2 != 0 {
            let pipe = makePipe()
            copied.1 = CopiedStream(from: pipe.0, to: 1, copy: take())
            ends.1 = pipe.1
            isComplete = isComplete && pipe.0 >= 0
        }
        if streams & 4 != 0 {
            let pipe = makePipe()
            copied.2 = CopiedStream(from: pipe.0, to: 2, copy: take())
            ends.2 = pipe.1
            isComplete = isComplete && pipe.0 >= 0
        }
        // What was made is close-on-exec: the original runs as it is.
        guard isComplete else { executeOriginal(open: original) }
        if streams & 64 != 0 {
            becomeParent(of: copied, ends)
        } else if !startCarrier(copied) {
            executeOriginal(open: original)
        }
        if ends.0 >= 0 { _ = ckb_dup_to(ends.0, 0) }
        if ends.1 >= 0 { _ = ckb_dup_to(ends.1, 1) }
        if ends.2 >= 0 { _ = ckb_dup_to(ends.2, 2) }
        if streams & 8 != 0, ends.1 >= 0 { _ = ckb_dup_to(1, 2) }
        executeOriginal(open: original)
    }

    private func makePipe() -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) {
            ckb_pipe(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Int32.self))
        }
        return result < 0 ? (-1, -1) : ends
    }

    /// Returns in a child, which is to become the original, or at once when there can be no child. This process carries the
    /// bytes and ends as the child does, when what it wrote is where it was to go. Who kills it kills the child.
    private func becomeParent(
        of streams: (CopiedStream, CopiedStream, CopiedStream), _ ends: (Int32, Int32, Int32)
    ) {
        var all = UInt64.max
        var before: UInt64 = 0
        _ = ckb_mask(0, &all, &before)
        let signals = ckb_signalfd(&all)
        let own = ckb_pid()
        let child = signals < 0 ? -1 : ckb_fork()
        if child == 0 {
            _ = ckb_die_with_parent(9)
            if ckb_parent() != own { die(of: 9) }
        }
        if child <= 0 {
            _ = ckb_mask(2, &before, nil)
            if signals >= 0 { _ = ckb_close(Int32(truncatingIfNeeded: signals)) }
            // Without a child the original writes to pipes that nobody carries: it must not have them.
            if child < 0 { executeOriginal(open: memory.descriptors[0]) }
            return
        }
        if ends.0 >= 0 { _ = ckb_close(ends.0) }
        if ends.1 >= 0 { _ = ckb_close(ends.1) }
        if ends.2 >= 0 { _ = ckb_close(ends.2) }
        var carrier = Carrier(streams: streams, memory: memory)
        carrier.child = Int32(truncatingIfNeeded: child)
        carrier.signals = Int32(truncatingIfNeeded: signals)
        carrier.maskBefore = before
        carrier.run(shim: self)
    }

    /// Forks twice; the first child is gone when this returns, with success if the second is there.
    private func startCarrier(_ streams: (CopiedStream, CopiedStream, CopiedStream)) -> Bool {
        let child = ckb_fork()
        if child < 0 { return false }
        if child > 0 {
            var status: Int32 = 0
            while ckb_wait(Int32(truncatingIfNeeded: child), &status, 0) == Failure.interrupted {}
            return status == 0
        }
        _ = ckb_setsid()
        let second = ckb_fork()
        if second != 0 { exit(second > 0 ? 0 : 1) }
        var carrier = Carrier(streams: streams, memory: memory)
        carrier.run(shim: self)
    }
}

/// Carries bytes between a caller and the original until no stream is open.
///
/// It never waits for the node, and for the original or the caller only where each would wait for the other without it:
/// input is taken only when the original's pipe has room (a page, pipe(7)), and output waits for a caller who does not
/// read, by when the original's own pipe would have been full.
struct Carrier {
    var streams: (CopiedStream, CopiedStream, CopiedStream)
    let memory: Memory
    /// Input is there, and the original's pipe is full.
    var isFull = false
    /// The original, where it is this process's child; then signals are passed on to it, and this ends as it ends.
    var child: Int32 = 0
    var signals: Int32 = -1
    var maskBefore: UInt64 = 0
    /// How it ended, in the form of wait(2); -1: it runs.
    var status: Int32 = -1

    mutating func run(shim: Shim) -> Never {
        // Signals are for the original. What goes to a closed pipe is noticed by the write.
        var all = UInt64.max
        _ = ckb_mask(0, &all, nil)
        if child == 0 {
            _ = ckb_chdir("/")
            keepOnlyStreams()
        }
        while streams.0.isOpen || streams.1.isOpen || streams.2.isOpen || (child > 0 && status < 0) {
            var entries = (
                ckb_poll(fd: isFull ? -1 : streams.0.from, events: Poll.input, found: 0),
                // An error here: the original closed its input, or ended.
                ckb_poll(fd: streams.0.to, events: isFull ? Poll.output : 0, found: 0),
                ckb_poll(fd: streams.1.from, events: Poll.input, found: 0),
                ckb_poll(fd: streams.2.from, events: Poll.input, found: 0),
                ckb_poll(fd: signals, events: Poll.input, found: 0)
            )
            // Once the original has ended only what it has left is carried; others may hold its pipes for long.
            var none = ckb_time()
            let found = withUnsafeMutablePointer(to: &entries) { entries in
                withUnsafeMutablePointer(to: &none) {
                    ckb_poll(
                        UnsafeMutableRawPointer(entries).assumingMemoryBound(to: ckb_poll.self), 5,
                        status >= 0 ? $0 : nil)
                }
            }
            if status >= 0, found <= 0 { leave(shim) }
            carryInput(entries.0.found, entries.1.found)
            if entries.2.found != 0 { carry(&streams.1) }
            if entries.3.found != 0 { carry(&streams.2) }
            if entries.4.found != 0 { passSignals() }
        }
        if child > 0 { end(shim) }
        shim.exit(0)
    }

    /// What the original's descendants still write is carried by a process that nobody waits for.
    private mutating func leave(_ shim: Shim) {
        let rest = ckb_fork()
        if rest != 0 { end(shim) }
        child = 0
        status = -1
        signals = -1
    }

    /// As the original ended.
    private func end(_ shim: Shim) -> Never {
        if status & 0x7f == 0 { shim.exit(status >> 8 & 0xff) }
        shim.die(of: status & 0x7f)
    }

    private mutating func passSignals() {
        while ckb_read(signals, memory.signal, MemoryLayout<ckb_signal>.size) == MemoryLayout<ckb_signal>.size {
            let number = Int32(bitPattern: memory.signal.pointee.number)
            if number == 17 {
                reap()
            } else if memory.signal.pointee.code != Carrier.fromKernel {
                // What a terminal sends the original has got itself, as a member of the same group.
                _ = ckb_kill(child, number)
            }
        }
    }

    /// SI_KERNEL
    private static let fromKernel: Int32 = 0x80

    private mutating func reap() {
        while status < 0 {
            var found: Int32 = 0
            // WNOHANG | WUNTRACED
            if ckb_wait(child, &found, 1 | 2) <= 0 { return }
            if found & 0xff == 0x7f {
                stop(by: found >> 8 & 0xff)
            } else {
                status = found
            }
        }
    }

    /// The original was stopped: so is this process, by the same signal, until it is continued.
    private func stop(by number: Int32) {
        if number == 19 {
            _ = ckb_kill(Int32(truncatingIfNeeded: ckb_pid()), number)
        } else {
            var one: UInt64 = 1 << UInt64(number - 1)
            _ = ckb_kill(Int32(truncatingIfNeeded: ckb_pid()), number)
            _ = ckb_mask(1, &one, nil)
            _ = ckb_mask(0, &one, nil)
        }
    }

    private mutating func carryInput(_ found: Int16, _ foundAtOriginal: Int16) {
        if foundAtOriginal & ~Poll.output != 0 { return close(&streams.0, isComplete: true) }
        if foundAtOriginal & Poll.output != 0 { isFull = false }
        guard found != 0 else { return }
        var room = ckb_poll(fd: streams.0.to, events: Poll.output, found: 0)
        var none = ckb_time()
        _ = ckb_poll(&room, 1, &none)
        if room.found & Poll.output != 0 { carry(&streams.0) } else { isFull = true }
    }

    private func carry(_ stream: inout CopiedStream) {
        let count = ckb_read(stream.from, memory.bytes, Memory.copiedBytes)
        if count == Failure.interrupted || count == Failure.again { return }
        if count <= 0 { return close(&stream, isComplete: count == 0) }
        guard write(all: count, to: stream.to) else { return close(&stream, isComplete: false) }
        // The copy's end does not block: a node that does not read gets no more of this stream.
        if stream.copy >= 0, ckb_write(stream.copy, memory.bytes, count) != count {
            _ = ckb_close(stream.copy)
            stream.copy = -1
        }
    }

    private func write(all count: Int, to descriptor: Int32) -> Bool {
        var written = 0
        while written < count {
            let result = ckb_write(descriptor, memory.bytes + written, count - written)
            if result > 0 {
                written += result
            } else if result == Failure.again {
                var entry = ckb_poll(fd: descriptor, events: Poll.output, found: 0)
                _ = ckb_poll(&entry, 1, nil)
            } else if result != Failure.interrupted {
                return false
            }
        }
        return true
    }

    /// The node has put a byte into each copy's socket. Closed with the byte in it a socket is reset, unix(7), and the
    /// node knows that something is missing; also when this process is killed.
    private func close(_ stream: inout CopiedStream, isComplete: Bool) {
        if stream.copy >= 0 {
            if isComplete { _ = ckb_read(stream.copy, memory.bytes, 1) }
            _ = ckb_close(stream.copy)
        }
        _ = ckb_close(stream.from)
        _ = ckb_close(stream.to)
        stream = CopiedStream()
    }

    /// What else the caller has open would stay open through this process.
    private func keepOnlyStreams() {
        let kept = memory.descriptors
        var count = 0
        func keep(_ number: Int32) {
            guard number >= 0 else { return }
            var at = count
            while at > 0, kept[at - 1] > number {
                kept[at] = kept[at - 1]
                at -= 1
            }
            kept[at] = number
            count += 1
        }
        keep(streams.0.from)
        keep(streams.0.to)
        keep(streams.0.copy)
        keep(streams.1.from)
        keep(streams.1.to)
        keep(streams.1.copy)
        keep(streams.2.from)
        keep(streams.2.to)
        keep(streams.2.copy)
        var next: UInt32 = 0
        for index in 0..<count {
            let number = UInt32(bitPattern: kept[index])
            if number > next { _ = ckb_close_range(next, number - 1) }
            next = number + 1
        }
        _ = ckb_close_range(next, UInt32.max)
    }
}
