import CKernel

/// Signal numbers and names, signal(7).
public enum Signal {
    public static let hangUp = SIGHUP
    public static let interrupt = SIGINT
    public static let quit = SIGQUIT
    public static let kill = SIGKILL
    public static let terminate = SIGTERM
    public static let child = SIGCHLD
    public static let stop = SIGSTOP
    public static let resume = SIGCONT
    public static let windowChange = SIGWINCH
    public static let pipe = SIGPIPE
    public static let user1 = SIGUSR1
    public static let user2 = SIGUSR2

    private static let names: [(Int32, String)] = [
        (SIGHUP, "HUP"), (SIGINT, "INT"), (SIGQUIT, "QUIT"), (SIGILL, "ILL"), (SIGTRAP, "TRAP"), (SIGABRT, "ABRT"),
        (SIGBUS, "BUS"), (SIGFPE, "FPE"), (SIGKILL, "KILL"), (SIGUSR1, "USR1"), (SIGSEGV, "SEGV"), (SIGUSR2, "USR2"),
        (SIGPIPE, "PIPE"), (SIGALRM, "ALRM"), (SIGTERM, "TERM"), (16, "STKFLT"), (SIGCHLD, "CHLD"), (SIGCONT, "CONT"),
        (SIGSTOP, "STOP"), (SIGTSTP, "TSTP"), (SIGTTIN, "TTIN"), (SIGTTOU, "TTOU"), (SIGURG, "URG"), (SIGXCPU, "XCPU"),
        (SIGXFSZ, "XFSZ"), (SIGVTALRM, "VTALRM"), (SIGPROF, "PROF"), (SIGWINCH, "WINCH"), (SIGIO, "IO"),
        (SIGPWR, "PWR"), (SIGSYS, "SYS"),
    ]

    /// "SIGTERM" for 15; "signal 40" for a number without a name.
    public static func name(of number: Int32) -> String {
        guard let entry = names.first(where: { $0.0 == number }) else { return "signal \(number)" }
        return "SIG" + entry.1
    }

    /// The number of "TERM", "SIGTERM", "sigterm" or "15"; nil when it is none.
    public static func number(of text: String) -> Int32? {
        if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        return names.first { $0.1 == name }?.0
    }

    /// A set of signals as the kernel keeps it: bit n-1 stands for signal n.
    package static func mask(_ numbers: [Int32]) -> UInt64 {
        numbers.reduce(0) { $0 | 1 << UInt64($1 - 1) }
    }
}
