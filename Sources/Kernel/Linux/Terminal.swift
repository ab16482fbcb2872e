import CKernel
import Glibc

/// Pseudo-terminals and the settings of real ones, pty(7) and termios(3).
public enum Terminal {
    /// Size in character cells.
    public struct Size: Hashable, Sendable {
        public var rows: UInt16
        public var columns: UInt16

        public init(rows: UInt16, columns: UInt16) {
            self.rows = rows
            self.columns = columns
        }
    }

    /// Both ends of a pseudo-terminal of the devpts instance in `directory`.
    ///
    /// The program's end is asked of the master (TIOCGPTPEER), never opened by name: a name could have been
    /// swapped in between (CVE-2025-52565).
    package static func open(
        in directory: CInt = Files.here, multiplexer: String = "/dev/ptmx"
    ) throws(SystemError) -> TerminalPair {
        let master = try Files.open(multiplexer, O_RDWR | O_NOCTTY, at: directory)
        try call("unlock the terminal", multiplexer) { ck_unlock_terminal(master.raw) }
        let program = OwnedFD(
            adopting: CInt(
                try call("open the program's end of the terminal", multiplexer) {
                    ck_terminal_peer(master.raw, O_RDWR | O_NOCTTY | O_CLOEXEC)
                }))
        return TerminalPair(master: master, program: program)
    }

    /// The same in the devpts instance that a root filesystem shows at /dev/pts; anything else there is refused.
    package static func open(inRoot root: CInt) throws(SystemError) -> TerminalPair {
        let directory = try PathResolution.open(
            "/dev/pts", inRoot: root, flags: O_PATH | O_DIRECTORY | O_NOFOLLOW)
        var status = statfs()
        try call("look at", "/dev/pts") { ck_fstatfs(directory.raw, &status) }
        guard status.f_type == DEVPTS_SUPER_MAGIC else {
            throw SystemError("open a terminal in", "/dev/pts", code: .noDevice, advice: "No devpts is mounted there.")
        }
        return try open(in: directory.raw, multiplexer: "ptmx")
    }

    public static func setSize(_ size: Size, of fd: CInt) throws(SystemError) {
        try call("set the terminal's size") { ck_terminal_set_size(fd, size.rows, size.columns) }
    }

    /// The size of a terminal; nil when `fd` is none.
    public static func size(of fd: CInt) -> Size? {
        var size = Size(rows: 0, columns: 0)
        return ck_terminal_get_size(fd, &size.rows, &size.columns) >= 0 ? size : nil
    }

    public static func isTerminal(_ fd: CInt) -> Bool { isatty(fd) == 1 }

    /// A terminal's settings as they were, to be put back.
    public struct Settings: @unchecked Sendable {
        // Sendable by nature: termios is a plain C struct of numbers.
        fileprivate var termios: termios
    }

    /// Switches to raw mode (every key goes to the program) and returns the settings to restore.
    public static func makeRaw(_ fd: CInt) throws(SystemError) -> Settings {
        var settings = termios()
        try call("read the terminal's settings") { tcgetattr(fd, &settings) < 0 ? -Int(errno) : 0 }
        var raw = settings
        cfmakeraw(&raw)
        try call("switch the terminal to raw mode") { tcsetattr(fd, TCSADRAIN, &raw) < 0 ? -Int(errno) : 0 }
        return Settings(termios: settings)
    }

    public static func restore(_ settings: Settings, of fd: CInt) {
        var termios = settings.termios
        tcsetattr(fd, TCSADRAIN, &termios)
    }
}

/// Both ends of a pseudo-terminal, each of which can be taken out once.
package struct TerminalPair: ~Copyable, Sendable {
    private var master: OwnedFD?
    private var program: OwnedFD?

    init(master: consuming OwnedFD, program: consuming OwnedFD) {
        self.master = consume master
        self.program = consume program
    }

    package mutating func takeMaster() -> OwnedFD { master.take()! }
    package mutating func takeProgram() -> OwnedFD { program.take()! }
}
