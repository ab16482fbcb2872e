import Linux

/// Keeps the file of this executable from being overwritten through /proc/PID/exe by what runs in a container
/// (CVE-2019-5736): this process is one whose executable lies on a read-only mount.
///
/// That has mostly come to be before the C library started (CStart). Where the kernel did not let it, the process
/// executes itself again from a detached, read-only copy of the mount of its own file. Whether the one or the other is
/// needed is asked of the kernel (the mount that /proc/self/exe leads to), so nothing in the environment can pretend it.
/// (tests: `CVE-2019-5736 ...`, `a runtime whose executable the kernel does not change ...`)
enum SelfProtection {
    private static let executable = "/proc/self/exe"

    /// Returns when this process is protected.
    static func ensure(arguments: [String]) throws(RuntimeFailure) {
        try attempt("protect this executable") { () throws(SystemError) in
            // Nobody may look into this process, nor into a child that still shares its memory.
            try ThisProcess.setDumpable(false)
            guard try !Mounts.isReadOnly(executable) else { return }
            let copy = try readOnlyCopy()
            try CurrentProcess.execute(copy.raw, arguments: arguments)
        }
    }

    private static func readOnlyCopy() throws(SystemError) -> OwnedFD {
        let file = try Mounts.take(executable, recursive: false)
        try Mounts.change(file.raw, set: .readOnly, recursive: false, name: "this executable")
        return file
    }
}
