import Glibc
import Linux

/// Attempts to read and write files that are the machine's and not the program's.
extension ProbeAttempt {
    static let ofFiles = [
        ProbeAttempt("write-usr", "write to /usr") { settings throws(ProbeGap) in
            let path = "/usr/.forkless-probe-\(Trial.processID)"
            do throws(SystemError) {
                try Files.open(path, O_WRONLY | O_CREAT | O_EXCL).close()
            } catch { return .stopped(error.code.name) }
            do { try Files.removeTree(path) } catch { return .possible("made \(path), could not remove it: \(error)") }
            return .possible("made and removed \(path)")
        },
        ProbeAttempt("reach-tmp", "read the files of others in /tmp") { settings throws(ProbeGap) in
            let marker = try settings.text(ProbeSettings.marker)
            return reading(marker)
        },
        ProbeAttempt("read-secrets", "read the machine's passwords and keys") { settings throws(ProbeGap) in
            let keys = ["rsa", "ecdsa", "ed25519"].map { "/etc/ssh/ssh_host_\($0)_key" }.filter(Files.exists)
            var refusals: [String] = []
            for path in ["/etc/shadow"] + keys {
                let verdict = reading(path)
                if verdict.isPossible { return verdict }
                refusals.append(verdict.detail)
            }
            do throws(SystemError) {
                let names = try Files.list("/root")
                guard names.isEmpty else { return .possible("\(names.count) names in /root") }
                refusals.append("/root is empty")
            } catch { refusals.append("/root: \(error.code.name)") }
            return .stopped(refusals.joined(separator: ", "))
        },
        ProbeAttempt("replace-runtime", "replace the program that started it") { settings throws(ProbeGap) in
            let path: String
            do { path = try Files.link("/proc/self/exe") } catch { return .stopped("\(error)") }
            let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
            return try verdict([
                "write \(path)": Trial.mayWrite("/proc/self/exe"),
                "write into its directory": Trial.mayWrite(directory.isEmpty ? "/" : directory),
            ])
        },
        ProbeAttempt("write-kernel-settings", "change settings of the kernel") { settings throws(ProbeGap) in
            // Opened for writing and closed: the files of sysfs(5) and proc(5) check permission at open.
            let paths = [
                "/proc/sys/kernel/sysrq", "/proc/sys/vm/overcommit_memory",
                "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state",
            ]
            return opening(paths, O_WRONLY)
        },
        ProbeAttempt("make-devices", "make device files") { settings throws(ProbeGap) in
            var outcomes: [String: Trial.Outcome] = [:]
            for directory in ["/tmp", "/dev/shm", "/run", "/dev"] {
                outcomes[directory] = Trial.makeDevice(in: directory)
            }
            return try verdict(outcomes)
        },
    ]

    /// Possible when at least one byte can be read: a file that is masked with an empty one gives nothing away.
    static func reading(_ path: String) -> ProbeVerdict {
        do {
            let fd = try Files.open(path, O_RDONLY | O_NONBLOCK)
            // Room for a whole record: /dev/kmsg refuses to give less (EINVAL).
            var bytes = [UInt8](repeating: 0, count: 8192)
            let count = read(fd.raw, &bytes, bytes.count)
            let code = Errno(errno)
            if count > 0 { return .possible("read \(path)") }
            if count == 0 { return .stopped("\(path) is empty") }
            // A log that is open, with nothing to read at the moment.
            if code == .again || code == .brokenPipe { return .possible("opened \(path)") }
            return .stopped("read \(path): \(code.name)")
        } catch { return .stopped("\(error)") }
    }

    /// Possible when one of the files can be opened.
    static func opening(_ paths: [String], _ flags: CInt) -> ProbeVerdict {
        var refusals: [String] = []
        for path in paths {
            do throws(SystemError) {
                try Files.open(path, flags).close()
                return .possible("opened \(path) for writing")
            } catch { refusals.append("\(path): \(error.code.name)") }
        }
        return .stopped(refusals.joined(separator: ", "))
    }
}
