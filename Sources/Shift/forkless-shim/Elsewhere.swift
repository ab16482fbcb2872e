import CKernelBare

/// What a shim does while a target runs in its place: it passes signals on, and ends as the target has ended.
struct Relay {
    var shim: Shim
    var signals: Int32 = -1
    /// The mask that the caller gave, and the signals that were taken since.
    var maskBefore: UInt64 = 0
    var taken: UInt64 = 0
    var isCommitted = false
    var token: (UInt64, UInt64) = (0, 0)
}

extension Shim {
    /// Ends this process as a target ends, or executes the original when none was started.
    func runElsewhere() -> Never {
        var relay = Relay(shim: self)
        // Blocked signals wait to be read, the ignored ones, too: the target has the caller's dispositions and decides.
        var all = UInt64.max
        _ = ckb_mask(0, &all, &relay.maskBefore)
        let signals = ckb_signalfd(&all)
        if signals >= 0, signals <= 2 {
            let lifted = ckb_dup_above(Int32(truncatingIfNeeded: signals), 3)
            _ = ckb_close(Int32(truncatingIfNeeded: signals))
            relay.signals = Int32(truncatingIfNeeded: lifted)
        } else {
            relay.signals = Int32(truncatingIfNeeded: signals)
        }
        relay.run()
    }
}

extension Shim {
    /// What ran in this process's place was killed by this signal, and so is this process; without a core, which would be
    /// the shim's.
    func die(of number: Int32) -> Never {
        _ = ckb_set_dumpable(0)
        if (1...64).contains(number) {
            var action = ckb_action()
            _ = ckb_action(number, &action, nil)
            _ = ckb_kill(Int32(truncatingIfNeeded: ckb_pid()), number)
            var one: UInt64 = 1 << UInt64(number - 1)
            _ = ckb_mask(1, &one, nil)
        }
        // Only for the first process of a pid namespace, which no signal of its own ends.
        exit(128 + number)
    }
}

extension Relay {
    mutating func run() -> Never {
        send(Head.ready, 0)
        while true {
            // With a negative descriptor poll(2) skips an entry.
            var entries = (
                ckb_poll(fd: shim.socket, events: Poll.input, found: 0),
                ckb_poll(fd: signals, events: Poll.input, found: 0)
            )
            _ = withUnsafeMutablePointer(to: &entries) {
                ckb_poll(UnsafeMutableRawPointer($0).assumingMemoryBound(to: ckb_poll.self), 2, nil)
            }
            if entries.1.found != 0 { passSignals() }
            if entries.0.found != 0 { take(shim.receive()) }
        }
    }

    private mutating func take(_ answer: Answer) {
        switch answer.kind {
        case Answer.committed:
            isCommitted = true
            token = answer.token
        case Answer.started:
            // Who reads what the target writes sees the end when the target closes it.
            _ = ckb_close_range(0, 2)
        case Answer.exited: shim.exit(answer.value)
        case Answer.signaled: shim.die(of: answer.value)
        // The target could not be started: nothing was done.
        case Answer.original: giveUp(answer.flags)
        default: if isCommitted { resume() } else { giveUp() }
        }
    }

    /// The original after all, with the signals that came meanwhile.
    ///
    /// - Parameter flags: 32: the last descriptor is standard input, of which the node had read; 16: there is one before it.
    private func giveUp(_ flags: UInt32 = 0) -> Never {
        let isReplaced = flags & 32 != 0
        let descriptor = isReplaced && flags & 16 == 0 ? -1 : shim.memory.descriptors[0]
        if isReplaced { _ = ckb_dup_to(shim.memory.descriptors[flags & 16 == 0 ? 0 : 1], 0) }
        // Pending first and unblocked then: what the caller had not blocked works now, the rest stays pending.
        for number in 1...64 where taken & (1 << UInt64(number - 1)) != 0 {
            _ = ckb_kill(Int32(truncatingIfNeeded: ckb_pid()), Int32(number))
        }
        var mask = maskBefore
        _ = ckb_mask(2, &mask, nil)
        shim.executeOriginal(open: descriptor)
    }

    private mutating func passSignals() {
        while ckb_read(signals, shim.memory.signal, MemoryLayout<ckb_signal>.size) == MemoryLayout<ckb_signal>.size {
            let number = shim.memory.signal.pointee.number
            guard (1...64).contains(number) else { continue }
            taken |= 1 << UInt64(number - 1)
            send(Head.signal, number)
            // SIGTSTP, SIGTTIN, SIGTTOU
            if (20...22).contains(number) { stop(by: Int32(bitPattern: number)) }
        }
    }

    private func send(_ kind: UInt16, _ number: UInt32) {
        shim.fillHead(kind)
        shim.memory.head.storeBytes(of: number, toByteOffset: 8, as: UInt32.self)
        // A connection that is lost is noticed when it is read.
        var left = ckb_time(seconds: 1, nanoseconds: 0)
        _ = shim.send(UnsafeRawPointer(shim.memory.head), Head.bytes, UnsafeRawPointer(shim.memory.head), 0, &left)
    }

    /// Stops this process as the signal would have, so that the caller sees it stopped by it.
    private func stop(by number: Int32) {
        var one: UInt64 = 1 << UInt64(number - 1)
        if maskBefore & one != 0 { return }
        _ = ckb_kill(Int32(truncatingIfNeeded: ckb_pid()), number)
        // Unless it is ignored, this does not return before SIGCONT.
        _ = ckb_mask(1, &one, nil)
        _ = ckb_mask(0, &one, nil)
    }

    /// The node is gone while the target may run. Another node knows the target by its token, or that it never was.
    private mutating func resume() {
        var pauses = shim.record.resumeSeconds * 20
        while pauses > 0 {
            _ = ckb_close(shim.socket)
            if shim.connect() {
                shim.fillHead(Head.resume)
                shim.memory.head.storeBytes(of: UInt64(16), toByteOffset: 16, as: UInt64.self)
                var token = token
                var left = ckb_time(seconds: 1, nanoseconds: 0)
                let isSent = withUnsafePointer(to: &token) {
                    shim.send(UnsafeRawPointer(shim.memory.head), Head.bytes, UnsafeRawPointer($0), 16, &left)
                }
                if isSent { return }
            }
            var pause = ckb_time(seconds: 0, nanoseconds: 50_000_000)
            _ = ckb_poll(nil, 0, &pause)
            pauses -= 1
        }
        // Nobody knows how it went. It must not be done twice: this ends like a program that was killed.
        shim.die(of: 9)
    }
}
