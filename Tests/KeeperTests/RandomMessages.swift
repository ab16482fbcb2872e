import Keeper
import Linux
import Sandbox
import Spawn
import TestKit

/// Random values of everything that goes over the keeper's wire.
extension SeededChance {
    mutating func flip() -> Bool { Bool.random(using: &self) }
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number {
        // Extremes come often: that is where encodings break.
        switch Int.random(in: 0..<8, using: &self) {
        case 0: .max
        case 1: .min
        case 2: 0
        default: Number.random(in: .min ... .max, using: &self)
        }
    }
    mutating func maybe<Value>(_ make: (inout SeededChance) -> Value) -> Value? { flip() ? make(&self) : nil }
    mutating func some<Value>(_ make: (inout SeededChance) -> Value) -> [Value] {
        (0..<Int.random(in: 0...4, using: &self)).map { _ in make(&self) }
    }
    mutating func bytes(_ limit: Int = 40) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in number() }
    }
    mutating func text() -> String {
        let alphabet = Array("abc/._-äß漢🙂 \n\"'")
        return String((0..<Int.random(in: 0...12, using: &self)).map { _ in alphabet.randomElement(using: &self)! })
    }
    mutating func strings(least: Int = 0) -> StringBlock {
        var block = StringBlock()
        for _ in 0..<Int.random(in: least...5, using: &self) { block.append(bytes().filter { $0 != 0 }[...]) }
        return block
    }

    mutating func identity() -> Users.Identity {
        Users.Identity(uid: number(), gid: number(), groups: some { $0.number() }, home: text())
    }
    mutating func call() -> ProgramCall {
        ProgramCall(path: text(), arguments: strings(least: 1), environment: strings(), directory: maybe { $0.text() },
            hostname: maybe { $0.text() })
    }
    mutating func size() -> Terminal.Size { Terminal.Size(rows: number(), columns: number()) }

    mutating func root() -> RootFilesystem {
        switch Int.random(in: 0..<7, using: &self) {
        case 0: .unchanged
        case 1: .host
        case 2: .directory(text(), readOnly: flip())
        case 3: .overlay(lower: some { $0.text() }, upper: .readOnly)
        case 4: .overlay(lower: some { $0.text() }, upper: .temporary(bytes: number()))
        case 5: .overlay(lower: some { $0.text() }, upper: .room(text(), readOnly: flip()))
        default: .overlay(lower: some { $0.text() }, upper: .directory(text(), work: text()))
        }
    }
    mutating func mount() -> Mount {
        Mount(
            [.bind(text()), .device(text()), .temporary(bytes: number())].randomElement(using: &self)!, at: text(),
            readOnly: flip())
    }
    mutating func limits() -> CgroupLimits {
        CgroupLimits(
            memoryBytes: maybe { $0.number() },
            swap: [.none, .unlimited, .bytes(number())].randomElement(using: &self)!,
            pids: maybe { $0.number() }, cpuMillis: maybe { $0.number() }, cpuShares: maybe { $0.number() },
            cpus: maybe { $0.text() }, memoryNodes: maybe { $0.text() })
    }
    mutating func plan() -> SandboxPlan {
        var plan = SandboxPlan()
        plan.namespaces = Namespaces(rawValue: number())
        plan.identityMap = IdentityMap(firstUserOutside: number(), firstGroupOutside: number(), count: number())
        plan.root = root()
        plan.usesInit = flip()
        plan.madeDirectories = some { $0.text() }
        plan.roomPlaces.hosts = text()
        plan.roomPlaces.resolver = text()
        if flip() { plan.network = .given }
        (plan.isProcessesGiven, plan.isPrivileged) = (flip(), flip())
        plan.mounts = some { $0.mount() }
        plan.hostname = maybe { $0.text() }
        plan.maskedPaths = some { $0.text() }
        plan.readOnlyPaths = some { $0.text() }
        plan.showsSysfs = flip()
        plan.temporaryBytes = maybe { $0.number() }
        plan.sharedMemoryBytes = number()
        plan.identity = identity()
        plan.capabilities = Capabilities(rawValue: number())
        plan.gainableCapabilities = Capabilities(rawValue: number())
        plan.noNewPrivileges = flip()
        plan.systemCallFilter = bytes()
        plan.limits = limits()
        plan.resourceLimits = some {
            ResourceLimit(
                .allCases.randomElement(using: &$0)!, soft: $0.maybe { $0.number() }, hard: $0.maybe { $0.number() })
        }
        plan.umask = number()
        plan.niceValue = maybe { $0.number() }
        plan.directory = text()
        return plan
    }

    mutating func request(_ kind: Int) -> KeeperRequest {
        switch kind {
        case 0: .hello(node: text())
        case 1: .define(plan())
        case 2: .drop(template: number())
        case 3: .prepare(template: number(), count: number())
        case 4:
            .start(
                StartRequest(
                    template: number(), sandbox: text(), call: call(),
                    stdio: [.passed, .logged, .terminal(size()), .pipes].randomElement(using: &self)!,
                    logBytesLimit: number(), attached: flip(), room: maybe { $0.text() },
                    files: RoomFiles(
                        hosts: maybe { $0.text() }, hostname: maybe { $0.text() }, resolver: maybe { $0.text() }),
                    beneath: maybe { $0.text() }, among: maybe { $0.text() }))
        case 5:
            .execute(
                ExecuteRequest(
                    sandbox: text(), name: text(), call: call(), terminal: maybe { $0.size() },
                    identity: maybe { $0.identity() }))
        case 6: .signal(sandbox: text(), number: number(), wholeTree: flip())
        case 7: .freeze(sandbox: text())
        case 8: .thaw(sandbox: text())
        case 9: .resize(sandbox: text(), size())
        case 10: .usage(sandbox: text())
        case 11: .list
        case 12: .acknowledge(sandbox: text())
        case 13: .attach(sandbox: text())
        case 14: .status
        case 15: .limit(sandbox: text(), limits())
        default: .shutdown(killing: flip())
        }
    }
    static let requestKinds = 17

    mutating func startReport() -> StartReport {
        StartReport(
            pid: number(), startedAt: Timestamp(nanoseconds: number()), startNanoseconds: number(), wasPrepared: flip(),
            room: maybe { $0.text() })
    }
    mutating func cgroupUsage() -> CgroupUsage {
        var usage = CgroupUsage()
        usage.cpuMicroseconds = maybe { $0.number() }
        usage.cpuUserMicroseconds = maybe { $0.number() }
        usage.cpuSystemMicroseconds = maybe { $0.number() }
        usage.cpuThrottledMicroseconds = maybe { $0.number() }
        usage.memoryBytes = maybe { $0.number() }
        usage.memoryPeakBytes = maybe { $0.number() }
        usage.memoryLimitHits = maybe { $0.number() }
        usage.pids = maybe { $0.number() }
        usage.outOfMemoryKills = maybe { $0.number() }
        return usage
    }
    mutating func endReport() -> EndReport {
        EndReport(
            status: flip() ? .exited(number()) : .signaled(number(), coreDumped: flip()),
            usage: ResourceUsage(
                userMicroseconds: number(), systemMicroseconds: number(), peakResidentBytes: number(),
                minorFaults: number(), majorFaults: number(), voluntarySwitches: number(),
                involuntarySwitches: number()),
            endedAt: Timestamp(nanoseconds: number()), cgroup: maybe { $0.cgroupUsage() }, outOfMemory: flip(),
            lostLogBytes: number())
    }
    mutating func reply(_ kind: Int) -> KeeperReply {
        switch kind {
        case 0: .hello(KeeperIdentity(pid: number(), generation: number(), build: text()))
        case 1: .done
        case 2: .template(number())
        case 3: .started(startReport())
        case 4: .usage(cgroupUsage())
        case 5:
            .list(
                some {
                    SandboxReport(
                        sandbox: $0.text(), parent: $0.maybe { $0.text() }, start: $0.startReport(),
                        isFrozen: $0.flip(), end: $0.maybe { $0.endReport() })
                })
        case 6:
            .status(
                KeeperStatus(
                    running: number(), prepared: number(), templates: number(), starts: number(),
                    residentBytes: number(), openDescriptors: number()))
        case 7:
            .failed(
                KeeperFailure(
                    [.badRequest, .notFound, .conflict, .system, .protocolError].randomElement(using: &self)!, text(),
                    code: number()))
        default: .ended(sandbox: text(), endReport())
        }
    }
    static let replyKinds = 9
}
