import Linux

/// Carries bytes between the terminal (or streams) of whoever called the runtime and the terminal of the program, until
/// the program has ended. One thread, everything by poll(2).
///
/// Invariants
/// 1. The caller's terminal gets its settings back, however the program ends.
/// 2. A size change reaches the program (SIGWINCH, `SignalForwarding`).
/// 3. Nothing of the input is lost because the program is slow: what its terminal has no room for waits, and no more is
///    read meanwhile. (test: `input that the program's terminal has no room for waits until there is some`)
/// 4. A program that has closed its terminal keeps nobody busy, and one that opens it again is heard again.
///    (test: `a terminal that nobody has open is not waited for, and is heard again when somebody opens it`)
final class TerminalRelay {
    private let master: SharedFD
    private let input: CInt
    private let output: CInt
    private let settings: Terminal.Settings?
    private var isInputOpen = true
    /// What the program's terminal had no room for.
    private var waiting: ArraySlice<UInt8> = []
    /// Nobody has the program's end open: poll(2) would return at once again and again.
    private var isHungUp = false
    /// How often a terminal that has hung up is looked at, milliseconds.
    private static let lookInterval: CInt = 100

    /// - Parameters:
    ///   - input: the caller's standard input.
    ///   - output: the caller's standard output.
    init(_ master: SharedFD, input: CInt = 0, output: CInt = 1) throws(SystemError) {
        self.master = master
        self.input = input
        self.output = output
        try Files.setNonBlocking(master.raw)
        settings = Terminal.isTerminal(input) ? try Terminal.makeRaw(input) : nil
        resize()
    }

    deinit {
        if let settings { Terminal.restore(settings, of: input) }
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

    /// What to wait for until it can be read, beside the program's end.
    var readers: [CInt] { (isHungUp ? [] : [master.raw]) + (isInputOpen && waiting.isEmpty ? [input] : []) }

    /// What to wait for until it can be written.
    var writers: [CInt] { waiting.isEmpty ? [] : [master.raw] }

    /// How long to wait at most, milliseconds; -1: without end.
    var patience: CInt { isHungUp ? Self.lookInterval : -1 }

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
        let read: Int?
        do { read = try Files.readAvailable(master.raw, into: &buffer) } catch {
            // EIO: nobody has the program's end open.
            isHungUp = true
            return false
        }
        isHungUp = false
        guard let count = read, count > 0 else { return false }
        try? Files.writeAll(Array(buffer[..<count]), to: output, name: "standard output")
        return true
    }

    private func moveInput() -> Bool {
        if !waiting.isEmpty { return passOn() }
        guard isInputOpen, (try? Descriptors.isReadable(input, withinMilliseconds: 0)) == true else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        if let count = try? Descriptors.read(input, into: &buffer), count > 0 {
            waiting = buffer[..<count]
        } else {
            isInputOpen = false
            // The end of input, as its key says it.
            waiting = [4]
        }
        return passOn()
    }

    /// Gives the program what its terminal has room for; the rest waits. Returns whether anything was given.
    private func passOn() -> Bool {
        let before = waiting.count
        while !waiting.isEmpty {
            do {
                guard let count = try Files.writeAvailable(waiting, to: master.raw), count > 0 else { break }
                waiting = waiting.dropFirst(count)
            } catch {
                // Nobody has the program's end open to read it.
                waiting = []
                return false
            }
        }
        return waiting.count < before
    }
}
