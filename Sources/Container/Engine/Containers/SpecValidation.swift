import Linux
import OCI
import Sandbox

/// A wish that cannot be met, by the flag that expresses it.
package struct SpecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// "--memory", or "the program" where there is no flag.
    package var flag: String
    /// What was given; empty when there is nothing to quote.
    package var value: String
    package var problem: String
    /// What sort of failure it is to the caller.
    package var kind: NodeFailure.Kind

    package init(_ flag: String, _ value: String = "", _ problem: String, kind: NodeFailure.Kind = .badRequest) {
        self.flag = flag
        self.value = value
        self.problem = problem
        self.kind = kind
    }

    package var failure: NodeFailure { NodeFailure(kind, description) }

    package var description: String { value.isEmpty ? "\(flag): \(problem)" : "\(flag) \"\(value)\": \(problem)" }
}

extension ContainerSpec {
    /// Checks everything that can be checked without a machine.
    ///
    /// - Throws: `SpecError` for the first flag that makes no sense. (test: `every flag that makes no sense is named`)
    package func validate() throws(SpecError) {
        if let name { try Self.validate(name: name) }
        try validateProgram()
        try validateRoot()
        try validateMounts()
        try validateLimits()
        try validateRestrictions()
        try validateDevices()
        try validateLife()
        try validateNetwork()
        if rung == .process { try validateProcessRung() }
    }

    /// Names go into paths and tables: letters, digits, "_", "." and "-", a letter or digit first.
    package static func validate(name: String) throws(SpecError) {
        let rule = "a name has 1 to 64 letters, digits, \"_\", \".\" or \"-\", a letter or digit first"
        guard (1...64).contains(name.utf8.count), name.utf8.first!.isLetterOrDigit,
            name.utf8.allSatisfy({ $0.isLetterOrDigit || "_.-".utf8.contains($0) })
        else { throw SpecError("--name", name, rule) }
    }

    private func validateProgram() throws(SpecError) {
        guard !program.isEmpty || image != nil else {
            throw SpecError("the program", "", "is missing: name a path or a command")
        }
        try noNUL("the program", program)
        for word in entrypoint ?? [] { try noNUL("--entrypoint", word) }
        if entrypoint != nil, image == nil {
            throw SpecError("--entrypoint", "", "is for images: without one the program is what you name")
        }
        for argument in arguments { try noNUL("an argument", argument) }
        for variable in environment {
            try noNUL("-e", variable)
            guard let separator = variable.firstIndex(of: "="), separator > variable.startIndex else {
                throw SpecError("-e", variable, "write NAME=value")
            }
        }
        if let directory { try absolute("-w", directory) }
        if let user, user.isEmpty { throw SpecError("-u", "", "is empty: write USER, UID, USER:GROUP or UID:GID") }
        if let user { try noNUL("-u", user) }
    }

    private func validateRoot() throws(SpecError) {
        if let image {
            guard !image.name.isEmpty else { throw SpecError("the image", "", "is missing: name one") }
            try noNUL("the image", image.name)
            guard rung == .container else {
                throw SpecError("--rung", rung.rawValue, "an image is for the container rung: leave --rung out")
            }
            guard root == .host else { throw SpecError("--root, --overlay", "", "an image is a root itself: leave them out") }
        }
        switch root {
        case .host: break
        case .directory(let path): try absolute("--root", path)
        case .overlay(let lower, let upper, let work):
            guard !lower.isEmpty else { throw SpecError("--overlay", "", "names no directory") }
            for path in lower { try absolute("--overlay", path) }
            guard (upper == nil) == (work == nil) else {
                throw SpecError("--overlay", "", "an upper directory needs a work directory beside it, and the reverse")
            }
            if let upper { try absolute("--overlay", upper) }
            if let work { try absolute("--overlay", work) }
            if upper != nil, isReadOnly {
                throw SpecError("--read-only", "", "contradicts an overlay with a directory for writes: leave out one")
            }
        }
    }

    private func validateMounts() throws(SpecError) {
        for source in madeSources { try absolute("-v", source) }
        var targets: Set<String> = []
        for mount in mounts {
            let flag: String
            switch mount {
            case .bind(let source, _, _):
                flag = "-v"
                try absolute(flag, source)
            case .temporary(_, let bytes):
                flag = "--tmpfs"
                if let bytes, bytes < 4096 { throw SpecError(flag, mount.target, "\(bytes) bytes hold nothing") }
            case .volume(let name, _, _):
                flag = "-v"
                if let name { try Self.validate(name: name) }
            }
            try absolute(flag, mount.target)
            let parts = mount.target.split(separator: "/")
            guard !parts.isEmpty else { throw SpecError(flag, mount.target, "nothing is mounted over the root; see --root") }
            guard !parts.contains("."), !parts.contains("..") else {
                throw SpecError(flag, mount.target, "write the target without \".\" and \"..\"")
            }
            guard targets.insert(parts.joined(separator: "/")).inserted else {
                throw SpecError(flag, mount.target, "is the target of two mounts")
            }
        }
    }

    private func validateLimits() throws(SpecError) {
        if let memoryBytes, memoryBytes <= 0 { throw SpecError("--memory", "\(memoryBytes)", "is no amount of memory") }
        if let milliCPUs, milliCPUs <= 0 { throw SpecError("--cpus", "\(milliCPUs)m", "is no amount of CPU time") }
        if let pidsLimit, pidsLimit < 0 { throw SpecError("--pids-limit", "\(pidsLimit)", "is negative; 0 is no limit") }
        if let cpuShares, !CgroupLimits.cpuSharesRange.contains(cpuShares) {
            throw SpecError("--cpu-shares", "\(cpuShares)", "write a weight from 2 to 262144; everybody's is 1024")
        }
        if let sharedMemoryBytes, sharedMemoryBytes < 4096 {
            throw SpecError("--shm-size", "\(sharedMemoryBytes)", "\(sharedMemoryBytes) bytes hold nothing")
        }
        if let cpus, IndexList(cpus) == nil { throw SpecError("--cpuset-cpus", cpus, "write a list such as 0-3,7") }
        var names: Set<String> = []
        for limit in limits {
            guard limit.resource != nil else {
                throw SpecError(
                    "--ulimit", limit.name, "no such limit; there are \(ContainerLimit.names.joined(separator: ", "))")
            }
            if let hard = limit.hard, limit.soft.map({ $0 > hard }) ?? true {
                throw SpecError("--ulimit", limit.name, "the soft limit is above the hard one")
            }
            guard names.insert(limit.name).inserted else { throw SpecError("--ulimit", limit.name, "is given twice") }
        }
    }

    private func validateRestrictions() throws(SpecError) {
        for name in addedCapabilities where Capabilities(name: name) == nil { throw Self.unknown(name, "--cap-add") }
        for name in droppedCapabilities where Capabilities(name: name) == nil { throw Self.unknown(name, "--cap-drop") }
        if case .container(let word) = processes, word.isEmpty {
            throw SpecError("--pid", "container:", "name a container behind the colon")
        }
        guard let hostname else { return }
        // hostname(7): labels of letters, digits and "-"; the kernel takes 64 bytes in all.
        let labels = hostname.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            !label.isEmpty && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
                && label.first != "-" && label.last != "-"
        }
        guard isName, (1...64).contains(hostname.utf8.count) else {
            throw SpecError("--hostname", hostname, "a host name has 1 to 64 letters, digits, \"-\" and \".\"")
        }
    }

    private func validateDevices() throws(SpecError) {
        for device in devices {
            try absolute("--device", device.source)
            try absolute("--device", device.target)
            let letters = Set(device.permissions)
            guard letters.isSubset(of: "rwm"), letters.count == device.permissions.count else {
                throw SpecError("--device", device.permissions, "write permissions of r, w and m, each once at most")
            }
            // A mount can be read-only, but not for the device behind a file; and no other device file works inside.
            guard letters.isSuperset(of: "rw") else {
                throw SpecError(
                    "--device", "\(device.source):\(device.target):\(device.permissions)",
                    "a device can be given for reading and writing only: nothing here holds a program to one of the two")
            }
        }
    }

    private func validateLife() throws(SpecError) {
        if let stopSignal, !(1...64).contains(stopSignal) {
            throw SpecError("--stop-signal", "\(stopSignal)", "a signal is a number from 1 to 64")
        }
        if let stopTimeoutSeconds, !(0...86_400).contains(stopTimeoutSeconds) {
            throw SpecError("--stop-timeout", "\(stopTimeoutSeconds)", "write seconds from 0 to 86400")
        }
        try validateHealthcheck()
        if removesOnExit, restart != .no {
            throw SpecError("--rm", "", "conflicting options: cannot specify both --restart and --rm")
        }
        if let logBytes, logBytes < 4096 { throw SpecError("--log-size", "\(logBytes)", "a log has at least 4096 bytes") }
        for key in labels.keys where key.isEmpty { throw SpecError("--label", "", "a label needs a name") }
    }

    private func validateHealthcheck() throws(SpecError) {
        guard let check = healthcheck else { return }
        let spans = [
            ("--health-interval", check.interval), ("--health-timeout", check.timeout),
            ("--health-start-period", check.startPeriod), ("--health-start-interval", check.startInterval),
        ]
        // As Docker has it: a check more often than once in a millisecond is none.
        for (flag, span) in spans where span != 0 && !(1_000_000...(1 << 60)).contains(span) {
            throw SpecError(flag, "\(span)ns", "write at least 1ms, or 0 for the default")
        }
        if check.retries < 0 { throw SpecError("--health-retries", "\(check.retries)", "cannot be negative") }
        for word in check.words() ?? [] { try noNUL("--health-cmd", word) }
        if case .command([]) = check.test { throw SpecError("--health-cmd", "", "has no program") }
    }

    /// A program on the process rung sees the machine as it is, so what would change its view cannot be had.
    private func validateProcessRung() throws(SpecError) {
        let advice = "needs --rung container: on the process rung a program sees the machine as it is"
        guard root == .host else { throw SpecError("--root", "", advice) }
        if let mount = mounts.first {
            if case .bind = mount { throw SpecError("-v", mount.target, advice) }
            throw SpecError("--tmpfs", mount.target, advice)
        }
        if isReadOnly { throw SpecError("--read-only", "", advice) }
        if hostname != nil { throw SpecError("--hostname", "", advice) }
        if sharedMemoryBytes != nil { throw SpecError("--shm-size", "", advice) }
        if !devices.isEmpty { throw SpecError("--device", devices[0].source, advice) }
        if usesInit { throw SpecError("--init", "", advice) }
        if isPrivileged { throw SpecError("--privileged", "", advice) }
        if processes != .own { throw SpecError("--pid", "", advice) }
        if network == .isolated { throw SpecError("--network", "none", advice) }
    }

    private static func unknown(_ name: String, _ flag: String) -> SpecError {
        SpecError(flag, name, "no such capability; capabilities(7) lists them, and \"ALL\" is every one")
    }

    private func absolute(_ flag: String, _ path: String) throws(SpecError) {
        try noNUL(flag, path)
        guard path.hasPrefix("/") else { throw SpecError(flag, path, "write an absolute path") }
    }

    private func noNUL(_ flag: String, _ text: String) throws(SpecError) {
        guard text.utf8.contains(0) else { return }
        let shown = text.prefix { $0 != "\0" }
        throw SpecError(flag, String(shown), "holds a NUL byte, which no program could be given")
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
        default: false
        }
    }
}
