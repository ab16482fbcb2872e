import Glibc
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
        ProbeAttempt("user-namespace", "become root in a user namespace") { settings throws(ProbeGap) in
            let ways = Trial.newUserNamespace()
            return try verdict(Dictionary(uniqueKeysWithValues: zip(["clone", "unshare", "clone3"], ways)))
        },
        ProbeAttempt("mount", "mount a file system") { settings throws(ProbeGap) in
            try verdict(["fsmount": Trial.detachedTemporaryFileSystem(), "mount": Trial.mountRequest()])
        },
        ProbeAttempt("set-clock", "set the machine's clock") { settings throws(ProbeGap) in
            try verdict(["settimeofday": Trial.setClock()])
        },
        ProbeAttempt("load-modules", "load code into the kernel") { settings throws(ProbeGap) in
            try verdict(["finit_module": Trial.loadModule(), "kexec_load": Trial.loadKernel()])
        },
        ProbeAttempt("kernel-helpers", "have the kernel start a program of its choice outside") {
            settings throws(ProbeGap) in
            let groups = (try? Files.list("/sys/fs/cgroup")) ?? []
            let agents = groups.sorted().map { "/sys/fs/cgroup/\($0)/release_agent" }.filter(Files.exists)
            return opening(
                [
                    "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/sys/kernel/uevent_helper",
                    "/proc/sys/fs/binfmt_misc/register",
                ] + agents, O_WRONLY)
        },
        ProbeAttempt("reboot", "reboot or crash the machine") { settings throws(ProbeGap) in
            let trigger = opening(["/proc/sysrq-trigger"], O_WRONLY)
            let call = try verdict(["reboot": Trial.reboot()])
            if trigger.isPossible { return trigger }
            return call.isPossible ? call : .stopped("\(trigger.detail), \(call.detail)")
        },
    ]
}
