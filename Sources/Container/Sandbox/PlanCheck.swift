package import Linux

// What is wrong with a plan whatever the machine's files are: said before anything is made.
//
// Invariant: a plan that passes is compiled without a trap. (test: `no plan whatever traps the compiler`)

extension SandboxPlan {
    /// Refuses what makes no sense, what the kernel would take for something else, and limits above the machine's.
    ///
    /// - Throws: `SystemError` (EINVAL) that names the field and what would be right.
    package func check(machine: MachineCapacity) throws(SystemError) {
        try checkNamespaces()
        try checkRoot()
        for mount in mounts { try mount.check() }
        try checkAmounts()
        try identity.check()
        try checkFilter()
        try limits.validate(machine: machine)
    }

    private func checkNamespaces() throws(SystemError) {
        let known = Namespaces.kinds.reduce(into: Namespaces()) { $0.formUnion($1.kind) }
        guard namespaces.isSubset(of: known) else {
            throw SystemError(
                "make namespaces", "0x" + String(namespaces.subtracting(known).rawValue, radix: 16), code: .invalid,
                advice: "No kind of namespace has these bits.")
        }
        if let hostname {
            guard namespaces.contains(.uts), (1...64).contains(hostname.utf8.count) else {
                throw SystemError(
                    "set the host name to", "\"\(hostname)\"", code: .invalid,
                    advice: "It takes 1 to 64 bytes and a UTS namespace.")
            }
        }
        guard network != .given || !namespaces.contains(.user) else {
            throw SystemError(
                "join a given network", code: .invalid,
                advice: "A user namespace has no rights over a network of the machine's: leave out one.")
        }
        guard !isNetworkGiven || network == .given else {
            throw SystemError(
                "join a given network", code: .invalid, advice: "The plan makes a network namespace of its own, too.")
        }
        guard !isIPCGiven || namespaces.isDisjoint(with: [.ipc, .user, .network]) else {
            throw SystemError(
                "join a given IPC namespace", code: .invalid,
                advice: "The plan makes one of its own, too, or a network or user namespace that does not go with it.")
        }
        guard !isProcessesGiven || namespaces.isDisjoint(with: [.pid, .user]) else {
            throw SystemError(
                "be born into a given pid namespace", code: .invalid,
                advice: "The plan makes one of its own, too, or a user namespace that does not go with it.")
        }
        guard !isPrivileged || namespaces.contains(.mount) && !namespaces.contains(.user) else {
            throw SystemError(
                "be privileged", code: .invalid, advice: "It needs a mount namespace, and no user namespace.")
        }
        guard namespaces.contains(.user) else { return }
        let last = UInt32.max - 1
        guard identityMap.count > 0, identityMap.count <= last,
            identityMap.firstUserOutside <= last - identityMap.count,
            identityMap.firstGroupOutside <= last - identityMap.count
        else {
            throw SystemError(
                "map ids", "0 to \(identityMap.firstUserOutside), \(identityMap.count) of them", code: .invalid,
                advice: "A map has at least one id and ends below 4294967295.")
        }
        guard identity.uid < identityMap.count, identity.gid < identityMap.count,
            identity.groups.allSatisfy({ $0 < identityMap.count })
        else {
            throw SystemError(
                "run as", "\(identity.uid):\(identity.gid)", code: .invalid,
                advice: "The user namespace has the ids below \(identityMap.count).")
        }
    }

    private func checkRoot() throws(SystemError) {
        let hasMounts = namespaces.contains(.mount)
        guard hasMounts == (root != .unchanged) else {
            throw SystemError(
                "use the root", "\(root)", code: .invalid,
                advice: hasMounts
                    ? "A mount namespace needs a root of its own." : "A root of its own needs a mount namespace.")
        }
        guard hasMounts || mounts.isEmpty else {
            throw SystemError("mount on", mounts[0].target, code: .invalid, advice: "It needs a mount namespace.")
        }
        guard hasMounts || !usesInit else {
            throw SystemError("bring an init", code: .invalid, advice: "It needs a root of its own.")
        }
        for path in madeDirectories + roomPlaces.all { try Self.checkInside(path) }
        guard hasMounts || madeDirectories.isEmpty else {
            throw SystemError("make directory", madeDirectories[0], code: .invalid, advice: "It needs a root of its own.")
        }
        if case .overlay(let lower, let upper) = root {
            guard !lower.isEmpty || rooms != nil else {
                throw SystemError("stack an overlay", code: .invalid, advice: "It needs a lower directory.")
            }
            if case .temporary(let bytes) = upper { try Self.check("the overlay's layer", bytes) }
            if case .room(let directory, _) = upper, !directory.hasPrefix("/") || directory.hasSuffix("/") {
                throw SystemError(
                    "make rooms in", "\"\(directory)\"", code: .invalid,
                    advice: "A directory for rooms is an absolute path that ends with a name.")
            }
        }
    }

    /// Refuses what is no path below the root, and what climbs.
    private static func checkInside(_ path: String) throws(SystemError) {
        let parts = path.split(separator: "/")
        guard path.hasPrefix("/"), !parts.isEmpty, !parts.contains("."), !parts.contains(".."), !path.utf8.contains(0)
        else {
            throw SystemError(
                "make a place at", "\"\(path)\"", code: .invalid,
                advice: "It is an absolute path below the root, without \".\" and \"..\".")
        }
    }

    private func checkAmounts() throws(SystemError) {
        if let temporaryBytes { try Self.check("/tmp", temporaryBytes) }
        if namespaces.contains(.mount) { try Self.check("/dev/shm", sharedMemoryBytes) }
        guard umask <= 0o777 else {
            throw SystemError(
                "set the umask to", "0o" + String(umask, radix: 8), code: .invalid, advice: "The most is 0o777.")
        }
    }

    private func checkFilter() throws(SystemError) {
        guard systemCallFilter.count % 8 == 0, systemCallFilter.count / 8 <= SeccompFilter.instructionLimit else {
            throw SystemError(
                "load a system-call filter of", "\(systemCallFilter.count) bytes", code: .invalid,
                advice: "An instruction has 8 bytes and a filter at most \(SeccompFilter.instructionLimit) of them.")
        }
    }

    /// tmpfs takes 0 for "no limit" (tmpfs(5)), which is nobody's wish here.
    fileprivate static func check(_ what: String, _ bytes: Int) throws(SystemError) {
        guard bytes > 0 else {
            throw SystemError("bound \(what) to", "\(bytes) bytes", code: .invalid, advice: "Give at least one byte.")
        }
    }
}

extension Mount {
    fileprivate func check() throws(SystemError) {
        let parts = target.split(separator: "/")
        guard target.hasPrefix("/"), let last = parts.last, last != ".", last != ".." else {
            throw SystemError(
                "mount on", "\"\(target)\"", code: .invalid,
                advice: "A target is an absolute path that ends with a name; the root itself is the plan's root.")
        }
        if case .temporary(let bytes) = source { try SandboxPlan.check(target, bytes) }
        switch source {
        case .bind(let path), .device(let path):
            guard !path.hasPrefix("/") else { break }
            throw SystemError("bind", "\"\(path)\"", code: .invalid, advice: "A source is an absolute path.")
        case .temporary: break
        }
    }
}

extension Users.Identity {
    /// Refuses the id 4294967295, which means "leave as it is" to setresuid(2): the program would stay root.
    package func check() throws(SystemError) {
        guard uid != .max, gid != .max, !groups.contains(.max) else {
            throw SystemError("run as", "\(uid):\(gid)", code: .invalid, advice: "The id 4294967295 is nobody's.")
        }
    }
}
