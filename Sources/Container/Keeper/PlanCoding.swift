import Linux
import Sandbox
import Spawn

// A plan on the wire. Fields follow the order of the declaration in SandboxPlan.swift; there is no version inside,
// the protocol's version covers it. (test: `every plan survives the wire`)

extension WireWriter {
    mutating func write(_ plan: SandboxPlan) {
        write(plan.namespaces.rawValue)
        write(plan.identityMap.firstUserOutside)
        write(plan.identityMap.firstGroupOutside)
        write(plan.identityMap.count)
        write(plan.root)
        write(list: plan.mounts) { $0.write($1) }
        write(plan.usesInit)
        write(list: plan.madeDirectories) { $0.write($1) }
        write(plan.roomPlaces.hosts)
        write(plan.roomPlaces.hostname)
        write(plan.roomPlaces.resolver)
        write(plan.isNetworkGiven)
        write(plan.isIPCGiven)
        write(plan.isProcessesGiven)
        write(plan.isPrivileged)
        write(plan.hostname) { $0.write($1) }
        write(list: plan.maskedPaths) { $0.write($1) }
        write(list: plan.readOnlyPaths) { $0.write($1) }
        write(plan.showsSysfs)
        write(plan.temporaryBytes) { $0.write($1) }
        write(plan.sharedMemoryBytes)
        write(plan.identity)
        write(plan.capabilities.rawValue)
        write(plan.gainableCapabilities.rawValue)
        write(plan.noNewPrivileges)
        write(plan.systemCallFilter)
        write(plan.limits)
        write(list: plan.resourceLimits) { writer, limit in
            writer.write(limit.resource.rawValue)
            writer.write(limit.soft) { $0.write($1) }
            writer.write(limit.hard) { $0.write($1) }
        }
        write(plan.umask)
        write(plan.niceValue) { $0.write($1) }
        write(plan.ignoredSignals)
        write(plan.blockedSignals)
        write(plan.directory)
    }

    mutating func write(_ identity: Users.Identity) {
        write(identity.uid)
        write(identity.gid)
        write(list: identity.groups) { $0.write($1) }
        write(identity.home)
    }

    private mutating func write(_ root: RootFilesystem) {
        switch root {
        case .unchanged: write(UInt8(0))
        case .host: write(UInt8(1))
        case .directory(let path, let readOnly):
            write(UInt8(2))
            write(path)
            write(readOnly)
        case .overlay(let lower, let upper):
            write(UInt8(3))
            write(list: lower) { $0.write($1) }
            switch upper {
            case .readOnly: write(UInt8(0))
            case .temporary(let bytes):
                write(UInt8(1))
                write(bytes)
            case .directory(let path, let work):
                write(UInt8(2))
                write(path)
                write(work)
            case .room(let directory, let readOnly):
                write(UInt8(3))
                write(directory)
                write(readOnly)
            }
        }
    }

    private mutating func write(_ mount: Mount) {
        switch mount.source {
        case .bind(let path):
            write(UInt8(0))
            write(path)
        case .temporary(let bytes):
            write(UInt8(1))
            write(bytes)
        case .device(let path):
            write(UInt8(2))
            write(path)
        }
        write(mount.target)
        write(mount.readOnly)
    }

    mutating func write(_ limits: CgroupLimits) {
        write(limits.memoryBytes) { $0.write($1) }
        switch limits.swap {
        case .none: write(UInt8(0))
        case .unlimited: write(UInt8(1))
        case .bytes(let bytes):
            write(UInt8(2))
            write(bytes)
        }
        write(limits.pids) { $0.write($1) }
        write(limits.cpuMillis) { $0.write($1) }
        write(limits.cpuShares) { $0.write($1) }
        write(limits.cpus) { $0.write($1) }
        write(limits.memoryNodes) { $0.write($1) }
    }
}

extension WireReader {
    mutating func readPlan() throws(WireError) -> SandboxPlan {
        var plan = SandboxPlan()
        plan.namespaces = Namespaces(rawValue: try readUInt64())
        plan.identityMap = IdentityMap(
            firstUserOutside: try readUInt32(), firstGroupOutside: try readUInt32(), count: try readUInt32())
        plan.root = try readRoot()
        plan.mounts = try readList { reader throws(WireError) in try reader.readMount() }
        plan.usesInit = try readBool()
        plan.madeDirectories = try readList { reader throws(WireError) in try reader.readText() }
        plan.roomPlaces.hosts = try readText()
        plan.roomPlaces.hostname = try readText()
        plan.roomPlaces.resolver = try readText()
        plan.isNetworkGiven = try readBool()
        plan.isIPCGiven = try readBool()
        plan.isProcessesGiven = try readBool()
        plan.isPrivileged = try readBool()
        plan.hostname = try readOptional { reader throws(WireError) in try reader.readText() }
        plan.maskedPaths = try readList { reader throws(WireError) in try reader.readText() }
        plan.readOnlyPaths = try readList { reader throws(WireError) in try reader.readText() }
        plan.showsSysfs = try readBool()
        plan.temporaryBytes = try readOptional { reader throws(WireError) in try reader.readInt() }
        plan.sharedMemoryBytes = try readInt()
        plan.identity = try readIdentity()
        plan.capabilities = Capabilities(rawValue: try readUInt64())
        plan.gainableCapabilities = Capabilities(rawValue: try readUInt64())
        plan.noNewPrivileges = try readBool()
        plan.systemCallFilter = try readBlock()
        plan.limits = try readLimits()
        plan.resourceLimits = try readList { reader throws(WireError) in try reader.readResourceLimit() }
        plan.umask = try readUInt32()
        plan.niceValue = try readOptional { reader throws(WireError) in try reader.readInt32() }
        plan.ignoredSignals = try readUInt64()
        plan.blockedSignals = try readUInt64()
        plan.directory = try readText()
        return plan
    }

    mutating func readIdentity() throws(WireError) -> Users.Identity {
        Users.Identity(
            uid: try readUInt32(), gid: try readUInt32(),
            groups: try readList { reader throws(WireError) in try reader.readUInt32() }, home: try readText())
    }

    private mutating func readRoot() throws(WireError) -> RootFilesystem {
        switch try readByte() {
        case 0: return .unchanged
        case 1: return .host
        case 2: return .directory(try readText(), readOnly: try readBool())
        case 3:
            let lower = try readList { reader throws(WireError) in try reader.readText() }
            switch try readByte() {
            case 0: return .overlay(lower: lower, upper: .readOnly)
            case 1: return .overlay(lower: lower, upper: .temporary(bytes: try readInt()))
            case 2: return .overlay(lower: lower, upper: .directory(try readText(), work: try readText()))
            case 3: return .overlay(lower: lower, upper: .room(try readText(), readOnly: try readBool()))
            case let other: throw .unexpected("no kind of upper layer: \(other)", at: 0)
            }
        case let other: throw .unexpected("no kind of root: \(other)", at: 0)
        }
    }

    private mutating func readMount() throws(WireError) -> Mount {
        let source: Mount.Source
        switch try readByte() {
        case 0: source = .bind(try readText())
        case 1: source = .temporary(bytes: try readInt())
        case 2: source = .device(try readText())
        case let other: throw .unexpected("no kind of mount: \(other)", at: 0)
        }
        return Mount(source, at: try readText(), readOnly: try readBool())
    }

    mutating func readLimits() throws(WireError) -> CgroupLimits {
        var limits = CgroupLimits()
        limits.memoryBytes = try readOptional { reader throws(WireError) in try reader.readInt() }
        switch try readByte() {
        case 0: limits.swap = .none
        case 1: limits.swap = .unlimited
        case 2: limits.swap = .bytes(try readInt())
        case let other: throw .unexpected("no kind of swap limit: \(other)", at: 0)
        }
        limits.pids = try readOptional { reader throws(WireError) in try reader.readInt() }
        limits.cpuMillis = try readOptional { reader throws(WireError) in try reader.readInt() }
        limits.cpuShares = try readOptional { reader throws(WireError) in try reader.readInt() }
        limits.cpus = try readOptional { reader throws(WireError) in try reader.readText() }
        limits.memoryNodes = try readOptional { reader throws(WireError) in try reader.readText() }
        return limits
    }

    private mutating func readResourceLimit() throws(WireError) -> ResourceLimit {
        let number = try readInt32()
        guard let resource = ResourceLimit.Resource(rawValue: number) else {
            throw .unexpected("no resource has the number \(number)", at: 0)
        }
        return ResourceLimit(
            resource, soft: try readOptional { reader throws(WireError) in try reader.readUInt64() },
            hard: try readOptional { reader throws(WireError) in try reader.readUInt64() })
    }
}
