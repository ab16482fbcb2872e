import Engine
import Linux

/// What flags mean depends on where they are read: this is that place.
struct FlagSurroundings {
    var workingDirectory: String
    /// Our own environment.
    var variable: (String) -> String?
    /// The text of a file, or why there is none.
    var readFile: (String) throws(SystemError) -> String
}

extension PlaceFlags {
    /// Writes what the flags say into a spec.
    ///
    /// - Throws: `FlagError` for the first flag that cannot be used; nothing was done then.
    func write(to spec: inout ContainerSpec, in place: FlagSurroundings) throws(FlagError) {
        var files: [(path: String, text: String)] = []
        for path in environmentFiles {
            do { files.append((path, try place.readFile(path))) } catch {
                throw FlagError("--env-file", path, "\(error)")
            }
        }
        var chance = SystemRandomNumberGenerator()
        spec.environment = PassedTrace.added(
            to: try EnvironmentFlags.variables(files: files, flags: environment, own: place.variable), own: place.variable, &chance)
        spec.directory = try absolute(directory, "-w")
        spec.user = try nonempty(user, "-u")
        spec.root = try rootChoice(in: place)
        spec.mounts = try declaredMounts(in: place)
        spec.madeSources = try madeSources(in: place)
        spec.isReadOnly = isReadOnly
        try writeLimits(to: &spec)
        try writeIsolation(to: &spec)
    }

    private func rootChoice(in place: FlagSurroundings) throws(FlagError) -> ContainerRoot {
        if let overlay {
            guard root == nil else {
                throw FlagError("--overlay", overlay, "there is a --root, too", advice: "Give one of the two.")
            }
            var lower: [String] = []
            for directory in overlay.split(separator: ":", omittingEmptySubsequences: false).map(String.init) {
                guard !directory.isEmpty else { throw FlagError("--overlay", overlay, "a directory is empty") }
                lower.append(resolved(directory, place))
            }
            return .overlay(lower: lower, upper: nil, work: nil)
        }
        guard let root = try nonempty(root, "--root"), root != "host" else { return .host }
        return .directory(resolved(root, place))
    }

    private func resolved(_ path: String, _ place: FlagSurroundings) -> String {
        if path.hasPrefix("/") { return path }
        return place.workingDirectory == "/" ? "/" + path : place.workingDirectory + "/" + path
    }

    private func declaredMounts(in place: FlagSurroundings) throws(FlagError) -> [ContainerMount] {
        var declared: [ContainerMount] = []
        for text in volumes {
            declared.append(.init(try VolumeFlag.parse(text, workingDirectory: place.workingDirectory)))
        }
        for text in mounts {
            declared.append(.init(try MountFlag.parse(text, workingDirectory: place.workingDirectory)))
        }
        for text in tmpfs { declared.append(.init(try TmpfsFlag.parse(text))) }
        return declared
    }

    /// What `-v` binds is made where it is missing, as with Docker; what `--mount` binds has to be there.
    private func madeSources(in place: FlagSurroundings) throws(FlagError) -> [String] {
        var sources: [String] = []
        for text in volumes {
            if case .bind(let bind) = try VolumeFlag.parse(text, workingDirectory: place.workingDirectory) {
                sources.append(bind.source)
            }
        }
        return sources
    }

    private func writeLimits(to spec: inout ContainerSpec) throws(FlagError) {
        if let memory {
            // Docker takes 0 for "no limit".
            let bytes = try ByteAmount.parse(memory, flag: "--memory")
            spec.memoryBytes = bytes == 0 ? nil : bytes
        }
        if let cpuShares {
            guard let weight = Int(cpuShares), weight >= 0 else {
                throw FlagError("--cpu-shares", cpuShares, "not a weight", advice: "Write a number, 1024 for example.")
            }
            // Docker takes 0 for the default.
            spec.cpuShares = weight == 0 ? nil : weight
        }
        if let sharedMemory { spec.sharedMemoryBytes = try ByteAmount.parse(sharedMemory, flag: "--shm-size") }
        for text in devices { spec.devices.append(try DeviceFlag.parse(text)) }
        spec.usesInit = usesInit
        if let cpus { spec.milliCPUs = try CPUAmount.parse(cpus, flag: "--cpus") }
        if let cpuset { spec.cpus = CPUSetFlag.list(try CPUSetFlag.parse(cpuset)) }
        if let pidsLimit {
            guard let number = Int(pidsLimit), number >= -1 else {
                throw FlagError("--pids-limit", pidsLimit, "not a number", advice: "Write a number, or -1 for no limit.")
            }
            spec.pidsLimit = max(number, 0)
        }
        for text in limits {
            let limit = try UlimitFlag.parse(text)
            spec.limits.append(ContainerLimit(name: limit.name, soft: limit.soft, hard: limit.hard))
        }
    }

    private func writeIsolation(to spec: inout ContainerSpec) throws(FlagError) {
        spec.network = try NetworkFlag.choice(networks)
        spec.hostname = try nonempty(hostname, "--hostname")
        spec.addedCapabilities = try capabilities(addedCapabilities, "--cap-add")
        spec.droppedCapabilities = try capabilities(droppedCapabilities, "--cap-drop")
        for text in security {
            switch try SecurityFlag.parse(text) {
            case .withoutSystemCallFilter: spec.hasSystemCallFilter = false
            case .noNewPrivileges(let wanted): spec.noNewPrivileges = wanted
            }
        }
    }

    private func capabilities(_ names: [String], _ flag: String) throws(FlagError) -> [String] {
        for name in names where Capabilities(name: name) == nil {
            throw FlagError(flag, name, "unknown capability", advice: "capabilities(7) lists them; ALL is every one.")
        }
        return names
    }
}

extension RunFlags {
    /// Writes what the flags say into a spec.
    func write(to spec: inout ContainerSpec) throws(FlagError) {
        spec.name = try nonempty(name, "--name")
        spec.isInteractive = isInteractive
        spec.hasTerminal = hasTerminal
        spec.removesOnExit = removesOnExit
        spec.labels = try LabelFlags.labels(labels)
        if let rung {
            guard let choice = Rung(rawValue: rung) else {
                throw FlagError(
                    "--rung", rung, "there is no such rung",
                    advice: "The rungs are \(Rung.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            spec.rung = choice
        }
        if let stopSignal { spec.stopSignal = try SignalFlag.parse(stopSignal, flag: "--stop-signal") }
        if let stopTimeout { spec.stopTimeoutSeconds = try SecondsFlag.parse(stopTimeout, flag: "--stop-timeout") }
        if let logSize {
            let bytes = try ByteAmount.parse(logSize, flag: "--log-size")
            guard bytes > 0 else { throw FlagError("--log-size", logSize, "the log needs room for something") }
            spec.logBytes = bytes
        }
    }
}

extension ContainerMount {
    init(_ mount: MountFlag) {
        switch mount {
        case .bind(let bind): self = .bind(source: bind.source, target: bind.target, isReadOnly: bind.isReadOnly)
        case .tmpfs(let tmpfs): self.init(tmpfs)
        case .volume(let volume):
            self = .volume(name: volume.name, target: volume.target, isReadOnly: volume.isReadOnly)
        }
    }

    init(_ tmpfs: TmpfsFlag) { self = .temporary(target: tmpfs.target, bytes: tmpfs.sizeBytes) }
}

/// A value that may be left out but not be empty.
func nonempty(_ value: String?, _ flag: String) throws(FlagError) -> String? {
    guard value?.isEmpty == true else { return value }
    throw FlagError(flag, "", "the value is empty", advice: "Leave the flag out for the default.")
}

/// A path of the sandbox, which may be left out.
func absolute(_ value: String?, _ flag: String) throws(FlagError) -> String? {
    guard let value, !value.hasPrefix("/") else { return value }
    throw FlagError(flag, value, "not an absolute path", advice: "It is a path inside the sandbox, so it starts with a slash.")
}
