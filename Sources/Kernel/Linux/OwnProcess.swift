import CKernel
import Glibc

/// This process itself.
public enum OwnProcess {
    public static var pid: Int32 { getpid() }
    public static var effectiveUser: UInt32 { geteuid() }
    public static var effectiveGroup: UInt32 { getegid() }

    /// A variable of our environment; nil when there is none.
    public static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Every variable as "NAME=value".
    public static func environment() -> [String] {
        var variables: [String] = []
        var at = environ
        while let text = at.pointee {
            variables.append(String(cString: text))
            at += 1
        }
        return variables
    }

    /// The working directory; nil when it was removed.
    public static func workingDirectory() -> String? {
        guard let text = getcwd(nil, 0) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    /// The file of the running executable.
    public static func executable() throws(SystemError) -> String { try Files.link("/proc/self/exe") }

    /// Lets writes to a closed pipe fail with EPIPE instead of ending the process.
    public static func ignoreBrokenPipes() { _ = ck_ignore_signal(SIGPIPE) }

    /// How many processors this process may run on.
    public static func processors() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Keeps this thread, with its signal mask, until the process ends elsewhere.
    public static func rest() -> Never { while true { pause() } }

    /// Ends the process, running no exit handlers of other libraries' threads.
    public static func exit(_ status: Int32) -> Never { Glibc.exit(status) }
}
