import Linux

/// Whether a program waits in a read of its standard input, seen from outside.
enum FirstRead {
    #if arch(x86_64)
        private static let readCall = "0 0x0 "
    #else
        private static let readCall = "63 0x0 "
    #endif

    /// Waits until it does; proc_pid_syscall(5): the call's number and its arguments.
    static func await(_ pid: Int32) throws {
        for _ in 0..<10_000 {
            if try Files.readText("/proc/\(pid)/syscall").hasPrefix(readCall) { return }
            Clock.pauseBlocking(milliseconds: 1)
        }
        throw LoadError("after 10 s process \(pid) does not read its standard input")
    }

    /// FNV-1a in 62 bits: two outputs with the same hash are taken for equal.
    static func hash(_ bytes: [UInt8]) -> Int {
        Int(bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 } >> 2)
    }
}
