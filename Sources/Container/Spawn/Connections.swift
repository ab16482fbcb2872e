import Linux

/// The standard streams of one start: the program's ends for the child, ours for the caller.
///
/// The program's ends are closed here when this value ends, which is after the exec.
struct Connections: ~Copyable {
    private(set) var input: CInt = -1
    private(set) var output: CInt = -1
    private(set) var error: CInt = -1
    private(set) var terminal: CInt = -1

    private(set) var inputWriter: SharedFD?
    private(set) var outputReader: SharedFD?
    private(set) var errorReader: SharedFD?
    private(set) var terminalMaster: SharedFD?

    /// Keeps the program's ends open until the exec.
    private var kept: [SharedFD] = []

    init(_ options: Options, input: Input, output: Output, error: Output) throws(SpawnError) {
        if options.usesTerminal { try openTerminal(options.terminalSize) }
        try connect(input)
        (self.output, outputReader) = try connect(output, inherited: 1, name: "standard output")
        if error == .standardOutput {
            self.error = self.output
        } else {
            (self.error, errorReader) = try connect(error, inherited: 2, name: "standard error")
            // One terminal, one way to read it.
            if error == .terminal, output == .terminal { errorReader = nil }
        }
    }

    private mutating func connect(_ input: Input) throws(SpawnError) {
        switch input {
        case .inherit: self.input = 0
        case .null: self.input = try nullDevice()
        case .descriptor(let fd):
            try Options.checkSource(fd)
            self.input = fd
        case .pipe:
            var pipe = try spawning { () throws(SystemError) in try Files.pipe() }
            self.input = keep(pipe.takeReader())
            inputWriter = try Self.nonBlocking(pipe.takeWriter())
        case .bytes(let bytes):
            let memory = try spawning { () throws(SystemError) in try Files.sealedMemory(named: "standard input", bytes)
            }
            let fd = memory.raw
            try spawning { () throws(SystemError) in try Files.rewind(fd) }
            self.input = keep(memory)
        case .terminal:
            self.input = try terminalEnd("standard input")
            inputWriter = terminalMaster
        }
    }

    private mutating func connect(
        _ output: Output, inherited: CInt, name: String
    ) throws(SpawnError) -> (CInt, SharedFD?) {
        switch output {
        case .inherit: return (inherited, nil)
        case .null: return (try nullDevice(), nil)
        case .descriptor(let fd):
            try Options.checkSource(fd)
            return (fd, nil)
        case .pipe:
            var pipe = try spawning { () throws(SystemError) in try Files.pipe() }
            let end = keep(pipe.takeWriter())
            return (end, try Self.nonBlocking(pipe.takeReader()))
        case .terminal: return (try terminalEnd(name), terminalMaster)
        case .standardOutput:
            throw SpawnError(
                step: "send \(name) to standard output", code: .invalid, advice: "Only standard error can join it.")
        }
    }

    private mutating func openTerminal(_ size: Terminal.Size) throws(SpawnError) {
        var pair = try spawning { () throws(SystemError) in try Terminal.open() }
        let master = try Self.nonBlocking(pair.takeMaster())
        try spawning { () throws(SystemError) in try Terminal.setSize(size, of: master.raw) }
        terminal = keep(pair.takeProgram())
        terminalMaster = master
    }

    private func terminalEnd(_ name: String) throws(SpawnError) -> CInt {
        guard terminal >= 0 else {
            throw SpawnError(
                step: "connect \(name) to a terminal", code: .invalid,
                advice: "The template has none: a stream in its options must say so (Options.useTerminal).")
        }
        return terminal
    }

    private mutating func nullDevice() throws(SpawnError) -> CInt {
        // Both directions in one: what is opened once can be every stream that goes nowhere.
        let readWrite: CInt = 2
        return keep(try spawning { () throws(SystemError) in try Files.open("/dev/null", readWrite) })
    }

    private mutating func keep(_ fd: consuming OwnedFD) -> CInt {
        let shared = SharedFD(fd)
        kept.append(shared)
        return shared.raw
    }

    private static func nonBlocking(_ fd: consuming OwnedFD) throws(SpawnError) -> SharedFD {
        let shared = SharedFD(fd)
        try spawning { () throws(SystemError) in try Files.setNonBlocking(shared.raw) }
        return shared
    }
}
