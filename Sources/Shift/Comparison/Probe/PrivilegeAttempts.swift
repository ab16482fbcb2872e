import Linux

/// Attempts to have or to gain the rights of an administrator.
extension ProbeAttempt {
    static let ofPrivileges = [
        ProbeAttempt("capabilities", "use rights of an administrator") { settings throws(ProbeGap) in
            do {
                let held = try Capabilities.permitted().memberNames
                return held.isEmpty
                    ? .stopped("no capability") : .possible("\(held.count) capabilities: \(firstFew(held))")
            } catch { throw ProbeGap(reason: "\(error)") }
        },
        ProbeAttempt("gain-privileges", "gain privileges from a set-user-id program") { settings throws(ProbeGap) in
            do {
                return try Trial.noNewPrivileges()
                    ? .stopped("no_new_privs is set") : .possible("no_new_privs is not set")
            } catch { throw ProbeGap(reason: "\(error)") }
        },
        ProbeAttempt("any-system-call", "make any system call there is") { settings throws(ProbeGap) in
            do {
                return try Trial.hasSystemCallFilter()
                    ? .stopped("a seccomp filter decides") : .possible("no seccomp filter")
            } catch { return .stopped("\(error)") }
        },
        ProbeAttempt("user-namespace", "become root in a user namespace") { settings throws(ProbeGap) in
            let ways = Trial.newUserNamespace()
            return try verdict(Dictionary(uniqueKeysWithValues: zip(["clone", "unshare", "clone3"], ways)))
        },
        ProbeAttempt("mount", "mount a file system") { settings throws(ProbeGap) in
            try verdict(["fsmount": Trial.detachedTemporaryFileSystem(), "mount": Trial.mountRequest()])
        },
        ProbeAttempt("set-host-name", "set the host name") { settings throws(ProbeGap) in
            let name: String
            do { name = try Files.readText("/proc/sys/kernel/hostname") } catch {
                throw ProbeGap(reason: "the present name cannot be read: \(error)")
            }
            return try verdict(["sethostname": Trial.setHostName(name)])
        },
        ProbeAttempt("set-clock", "set the machine's clock") { settings throws(ProbeGap) in
            try verdict(["settimeofday": Trial.setClock()])
        },
        ProbeAttempt("load-modules", "load code into the kernel") { settings throws(ProbeGap) in
            try verdict(["finit_module": Trial.loadModule()])
        },
    ]
}
