/// Where a program's standard input comes from.
public enum Input: Hashable, Sendable {
    /// This process's own.
    case inherit
    /// /dev/null: at its end from the start.
    case null
    /// An open file. It stays the caller's, who keeps it open until `start` has returned (for one in a template's
    /// options: as long as the template is used).
    case descriptor(CInt)
    /// A pipe that `RunningProgram.standardInput` writes to.
    case pipe
    /// These bytes, then the end: a file in memory that nobody can change. Nothing has to be written while the
    /// program runs, so a program that does not read cannot hold anybody up.
    case bytes([UInt8])
    /// The terminal of the program's own; the template's options say so, too.
    case terminal
}

/// Where what a program writes goes to.
public enum Output: Hashable, Sendable {
    /// To this process's own stream of that number.
    case inherit
    /// Nowhere: /dev/null.
    case null
    /// To an open file. It stays the caller's, who keeps it open until `start` has returned (for one in a
    /// template's options: as long as the template is used).
    case descriptor(CInt)
    /// To a pipe that `RunningProgram.standardOutput` or `standardError` reads.
    case pipe
    /// To the terminal of the program's own; the template's options say so, too.
    case terminal
    /// Standard error only: to where standard output goes, as `2>&1` in a shell.
    case standardOutput
}
