import Linux
import OCI

/// Refuses what this machine's kernel cannot do: a label without its module would be a promise nobody keeps.
enum ModuleCheck {
    static func check(_ spec: RuntimeSpec) throws(RuntimeFailure) {
        if let process = spec.process { try check(process) }
        if let label = spec.linux.mountLabel, !hasSELinux { throw refused("linux.mountLabel", label, "SELinux") }
    }

    static func check(_ process: ProcessSpec) throws(RuntimeFailure) {
        if let profile = process.apparmorProfile, !hasAppArmor {
            throw refused("process.apparmorProfile", profile, "AppArmor")
        }
        if let label = process.selinuxLabel, !hasSELinux { throw refused("process.selinuxLabel", label, "SELinux") }
    }

    private static var hasAppArmor: Bool {
        Files.exists("/sys/kernel/security/apparmor") || Files.exists("/proc/self/attr/apparmor")
    }
    private static var hasSELinux: Bool { Files.exists("/sys/fs/selinux/enforce") }

    private static func refused(_ field: String, _ value: String, _ module: String) -> RuntimeFailure {
        RuntimeFailure(
            "\(field): \(module) is not enabled on this machine, so \"\(value)\" cannot be applied; leave the field out"
        )
    }
}
