import JSON

/// What the fields of a configuration mean together.
///
/// Each rule has a row in RuntimeSpecCheckTests.
extension RuntimeSpec {
    /// Refuses what the specification forbids and what this runtime does not do.
    package func check() throws(DocumentError) {
        do throws(JSONShapeError) {
            try checkVersion()
            guard root != nil else { throw Self.wrong("root", "expected an object, found nothing") }
            guard let process else { throw Self.wrong("process", "expected an object, found nothing") }
            try process.check(path: "process")
            try checkNamespaces()
            try checkUserNamespace()
            try checkNames()
            try checkSysctl()
            try checkMounts()
            if let seccomp = linux.seccomp { try seccomp.check(path: "linux.seccomp") }
            try checkUnsupported()
        } catch {
            throw DocumentError("config.json", error.description)
        }
    }

    /// What is done differently from what is written, one sentence each. The specification wants a warning there.
    package var warnings: [String] {
        var warnings: [String] = []
        if let (_, minor) = Self.version(ociVersion), minor > 3 {
            warnings.append("ociVersion is \(ociVersion): what came after \(Self.version) is not known here")
        }
        for mount in mounts where !mount.destination.hasPrefix("/") {
            warnings.append("the mount destination \"\(mount.destination)\" is relative: taken from /")
        }
        return warnings + (process?.warnings ?? [])
    }

    private func checkVersion() throws(JSONShapeError) {
        guard let (major, _) = Self.version(ociVersion) else {
            throw Self.wrong("ociVersion", "expected a version such as \(Self.version), found \"\(ociVersion)\"")
        }
        guard major == 1 else {
            throw Self.wrong("ociVersion", "version \(ociVersion) cannot be run; this runtime knows versions 1")
        }
    }

    /// Major and minor of a SemVer 2.0.0 version; nil when it is none.
    static func version(_ text: String) -> (major: Int, minor: Int)? {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var numbers: [Int] = []
        for part in parts {
            let isNumber = !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber, part == "0" || !part.hasPrefix("0"), let number = Int(part) else { return nil }
            numbers.append(number)
        }
        let rest = text.dropFirst(core.count).utf8
        let isRest = rest.isEmpty || rest.count > 1 && rest.allSatisfy(isVersionByte)
        return isRest ? (numbers[0], numbers[1]) : nil
    }

    private static func isVersionByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private func checkNamespaces() throws(JSONShapeError) {
        var seen: Set<NamespaceSpec.Kind> = []
        for (index, namespace) in linux.namespaces.enumerated() where !seen.insert(namespace.kind).inserted {
            throw Self.wrong("linux.namespaces[\(index)].type", "\"\(namespace.kind.rawValue)\" stands twice")
        }
        guard seen.contains(.mount) else {
            throw Self.wrong(
                "linux.namespaces",
                "a mount namespace is needed: without one the container's mounts would be the machine's")
        }
        if !linux.timeOffsets.isEmpty, !linux.hasNew(.time) {
            throw Self.wrong("linux.timeOffsets", "they need a new time namespace")
        }
        if let name = linux.networkDevices.keys.min(), !seen.contains(.network) {
            throw Self.wrong("linux.netDevices.\(name)", "it needs a network namespace")
        }
    }

    private func checkUserNamespace() throws(JSONShapeError) {
        let maps = [("linux.uidMappings", linux.uidMappings), ("linux.gidMappings", linux.gidMappings)]
        for (path, map) in maps {
            if linux.namespace(.user) == nil, !map.isEmpty { throw Self.wrong(path, "it needs a user namespace") }
            if linux.hasNew(.user), map.isEmpty {
                throw Self.wrong(path, "a new user namespace needs a mapping, found nothing")
            }
        }
        for (index, mount) in mounts.enumerated()
        where mount.options.idMap != nil && mount.uidMappings.isEmpty && linux.namespace(.user) == nil {
            throw Self.wrong(
                "mounts[\(index)].uidMappings", "idmap needs a mapping, here or by a user namespace; found neither")
        }
        guard linux.hasNew(.user), let user = process?.user else { return }
        guard Self.maps(linux.uidMappings, user.uid) else {
            throw Self.wrong("process.user.uid", "\(user.uid) is in no range of linux.uidMappings")
        }
        for (path, id) in [("gid", user.gid)] + user.additionalGids.enumerated().map({ ("additionalGids[\($0)]", $1) })
        where !Self.maps(linux.gidMappings, id) {
            throw Self.wrong("process.user.\(path)", "\(id) is in no range of linux.gidMappings")
        }
    }

    private static func maps(_ map: [IDMapping], _ id: UInt32) -> Bool {
        map.contains { id >= $0.containerID && UInt64(id) < UInt64($0.containerID) + UInt64($0.size) }
    }

    private func checkNames() throws(JSONShapeError) {
        guard linux.namespace(.uts) == nil else { return }
        if hostname != nil { throw Self.wrong("hostname", "it needs a uts namespace") }
        if domainname != nil { throw Self.wrong("domainname", "it needs a uts namespace") }
    }

    private func checkSysctl() throws(JSONShapeError) {
        for name in linux.sysctl.keys.sorted() {
            let path = "linux.sysctl.\(name)"
            guard let sysctl = SysctlName(name) else {
                throw Self.wrong(path, "expected a kernel parameter such as net.ipv4.ip_forward")
            }
            guard let kind = sysctl.namespace else {
                throw Self.wrong(path, "it belongs to no namespace: setting it would change the machine")
            }
            guard linux.namespace(kind) != nil else { throw Self.wrong(path, "it needs a \(kind.rawValue) namespace") }
            if sysctl.path == "kernel/hostname", hostname != nil {
                throw Self.wrong(path, "it conflicts with the field hostname")
            }
            if sysctl.path == "kernel/domainname", domainname != nil {
                throw Self.wrong(path, "it conflicts with the field domainname")
            }
        }
    }

    private func checkMounts() throws(JSONShapeError) {
        for (index, mount) in mounts.enumerated() {
            let path = "mounts[\(index)]"
            if mount.options.bind != nil, mount.source == nil {
                throw Self.wrong("\(path).source", "a bind mount needs what to mount, found nothing")
            }
            let isOwnFileSystem =
                mount.options.bind == nil && !mount.options.isRemount
                && mount.options.propagation.isEmpty
            if isOwnFileSystem, mount.type == nil {
                throw Self.wrong("\(path).type", "expected a file system, since it is no bind mount; found nothing")
            }
            if mount.options.copiesUp, mount.type != "tmpfs" || mount.options.bind != nil || mount.options.isRemount {
                throw Self.wrong("\(path).options", "tmpcopyup is for tmpfs")
            }
            if mount.options.isRemount, let word = mount.options.ofFileSystem.first {
                throw Self.wrong(
                    "\(path).options", "remount changes the mount alone, and \"\(word)\" is the file system's own")
            }
        }
    }

    /// Fields whose meaning nothing here carries out: refused, never ignored. `RuntimeFeatures` says the same.
    private func checkUnsupported() throws(JSONShapeError) {
        guard linux.intelRDT == nil else {
            throw Self.wrong("linux.intelRdt", "this runtime does not support it; leave the field out")
        }
    }

    static func wrong(_ path: String, _ problem: String) -> JSONShapeError {
        JSONShapeError(path: path, problem: problem)
    }
}

extension ProcessSpec {
    /// Refuses a process.json that cannot be run.
    package func check() throws(DocumentError) {
        do throws(JSONShapeError) { try check(path: "") } catch {
            throw DocumentError("process.json", error.description)
        }
    }

    /// The names of capabilities are the only thing that may be unknown.
    package var warnings: [String] {
        guard let sets = capabilities else { return [] }
        let named = Set(sets.bounding + sets.effective + sets.inheritable + sets.permitted + sets.ambient)
        let unknown = named.subtracting(RuntimeFeatures.capabilities).sorted()
        return unknown.isEmpty
            ? [] : ["these capabilities are not known and not given: \(unknown.joined(separator: ", "))"]
    }

    func check(path: String) throws(JSONShapeError) {
        let prefix = path.isEmpty ? "" : path + "."
        func wrong(_ key: String, _ problem: String) -> JSONShapeError {
            JSONShapeError(path: prefix + key, problem: problem)
        }

        guard let program = arguments.first, !program.isEmpty else {
            throw wrong("args", "must not be empty: the program and its arguments are missing")
        }
        guard workingDirectory.hasPrefix("/") else {
            throw wrong("cwd", "expected an absolute path, found \"\(workingDirectory)\"")
        }
        for (index, entry) in environment.enumerated() where !entry.dropFirst().contains("=") || entry.hasPrefix("=") {
            throw wrong("env[\(index)]", "expected NAME=VALUE")
        }
        var kinds: Set<ProcessLimit.Kind> = []
        for (index, limit) in limits.enumerated() where !kinds.insert(limit.kind).inserted {
            throw wrong("rlimits[\(index)].type", "\(limit.kind.rawValue) stands twice")
        }
        if hasTerminal, let size = consoleSize, size.height > 65_535 || size.width > 65_535 {
            throw wrong("consoleSize", "expected at most 65535 rows and columns, found \(size.height) x \(size.width)")
        }
        if let scheduler { try scheduler.check(path: prefix + "scheduler") }
    }
}

extension SchedulerSpec {
    /// sched(7): which values go with which policy.
    func check(path: String) throws(JSONShapeError) {
        func wrong(_ key: String, _ problem: String) -> JSONShapeError {
            JSONShapeError(path: "\(path).\(key)", problem: problem)
        }

        let isRealtime = policy == .fifo || policy == .roundRobin
        if policy == .iso { throw wrong("policy", "no kernel has SCHED_ISO") }
        if isRealtime, priority == 0 { throw wrong("priority", "\(policy.rawValue) needs 1 to 99, found 0") }
        if !isRealtime, priority != 0 { throw wrong("priority", "it is for SCHED_FIFO and SCHED_RR only") }
        let isDeadline = policy == .deadline
        if !isDeadline, runtime != 0 || deadline != 0 || period != 0 {
            throw wrong("runtime", "runtime, deadline and period are for SCHED_DEADLINE only")
        }
        if isDeadline, runtime == 0 || deadline < runtime || (period != 0 && period < deadline) {
            throw wrong("runtime", "SCHED_DEADLINE needs 0 < runtime <= deadline <= period")
        }
    }
}
