import Linux

/// Carries bytes between the terminal (or streams) of whoever called the runtime and the terminal of the program, until
/// the program has ended. One thread, everything by poll(2).
///
/// Invariants
/// 1. The caller's terminal gets its settings back, however the program ends.
/// 2. A size change reaches the program (SIGWINCH, `SignalForwarding`).
final class TerminalRelay {
    private let master: SharedFD
    private let settings: Terminal.Settings?
    private var isInputOpen = true

    init(_ master: SharedFD) throws(SystemError) {
        self.master = master
        try Files.setNonBlocking(master.raw)
        settings = Terminal.isTerminal(0) ? try Terminal.makeRaw(0) : nil
        resize()
    }

    deinit {
        if let settings { Terminal.restore(settings, of: 0) }
    }

    /// Gives the program's terminal the size of ours.
    func resize() {
        guard let size = Self.callersSize else { return }
        try? Terminal.setSize(size, of: master.raw)
    }

    /// Of the terminal of who called; nil where there is none, or it has no size.
    static var callersSize: Terminal.Size? {
        (Terminal.size(of: 0) ?? Terminal.size(of: 1)).flatMap { $0.rows > 0 ? $0 : nil }
    }

    /// What to wait for beside the program's end.
    var descriptors: [CInt] { isInputOpen ? [master.raw, 0] : [master.raw] }

    /// Moves what is there; returns whether anything was.
    @discardableResult
    func move() -> Bool {
        let moved = moveOutput()
        return moveInput() || moved
    }

    /// Reads the rest of what the program has written.
    func drain() { while moveOutput() {} }

    private func moveOutput() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        // EIO: nobody has the program's end open any more.
        guard let count = try? Files.readAvailable(master.raw, into: &buffer), count > 0 else { return false }
        try? Files.writeAll(Array(buffer[..<count]), to: 1, name: "standard output")
        return true
    }

    private func moveInput() -> Bool {
        guard isInputOpen, (try? Descriptors.isReadable(0, withinMilliseconds: 0)) == true else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard let count = try? Descriptors.read(0, into: &buffer), count > 0 else {
            isInputOpen = false
            // The end of input, as its key says it.
            _ = try? Descriptors.write([4], to: master.raw)
            return false
        }
        var rest = buffer[..<count]
        while !rest.isEmpty {
            guard let written = try? Files.writeAvailable(rest, to: master.raw) else { break }
            rest = rest.dropFirst(written)
        }
        return true
    }
}
