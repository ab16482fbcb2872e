import Linux
import Sandbox

// Answers and events on the wire. (test: `every reply survives the wire`)

extension KeeperReply {
    /// The message as bytes; `number` is that of the request, 0 for an event.
    package func encoded(number: UInt64) -> [UInt8] {
        var writer = WireWriter()
        writer.write(KeeperProtocol.version)
        writer.write(kind.rawValue)
        writer.write(number)
        switch self {
        case .hello(let identity):
            writer.write(identity.pid)
            writer.write(identity.generation)
            writer.write(identity.build)
        case .done: break
        case .template(let template): writer.write(template)
        case .started(let report): writer.write(report)
        case .usage(let usage): writer.write(usage)
        case .list(let entries): writer.write(list: entries) { $0.write($1) }
        case .status(let status):
            for number in [
                status.running, status.prepared, status.templates, status.starts, status.residentBytes,
                status.openDescriptors,
            ] { writer.write(number) }
        case .failed(let failure):
            writer.write(failure.kind.rawValue)
            writer.write(failure.sentence)
            writer.write(failure.code)
        case .ended(let sandbox, let report):
            writer.write(sandbox)
            writer.write(report)
        }
        return writer.bytes
    }

    /// Reads a message.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> (reply: KeeperReply, number: UInt64) {
        var reader = WireReader(bytes)
        let version = try reader.readByte()
        guard version == KeeperProtocol.version else {
            throw .unexpected("protocol version \(version); this node speaks \(KeeperProtocol.version)", at: 0)
        }
        let rawKind = try reader.readByte()
        guard let kind = Kind(rawValue: rawKind) else { throw .unexpected("no answer has the kind \(rawKind)", at: 1) }
        let number = try reader.readUInt64()
        let reply = try decode(kind, &reader)
        try reader.finish()
        return (reply, number)
    }

    private static func decode(_ kind: Kind, _ reader: inout WireReader) throws(WireError) -> KeeperReply {
        switch kind {
        case .hello:
            return .hello(
                KeeperIdentity(
                    pid: try reader.readInt32(), generation: try reader.readUInt64(), build: try reader.readText()))
        case .done: return .done
        case .template: return .template(try reader.readUInt32())
        case .started: return .started(try reader.readStartReport())
        case .usage: return .usage(try reader.readUsage())
        case .list: return .list(try reader.readList { reader throws(WireError) in try reader.readSandbox() })
        case .status:
            return .status(
                KeeperStatus(
                    running: try reader.readInt(), prepared: try reader.readInt(), templates: try reader.readInt(),
                    starts: try reader.readInt(), residentBytes: try reader.readInt(),
                    openDescriptors: try reader.readInt()))
        case .failed:
            let raw = try reader.readByte()
            guard let kind = KeeperFailure.Kind(rawValue: raw) else {
                throw .unexpected("no failure has the kind \(raw)", at: 0)
            }
            return .failed(KeeperFailure(kind, try reader.readText(), code: try reader.readInt32()))
        case .ended: return .ended(sandbox: try reader.readText(), try reader.readEndReport())
        }
    }

    private enum Kind: UInt8 {
        case hello = 1, done, template, started, usage, list, status, failed, ended
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .done: .done
        case .template: .template
        case .started: .started
        case .usage: .usage
        case .list: .list
        case .status: .status
        case .failed: .failed
        case .ended: .ended
        }
    }
}

extension WireWriter {
    fileprivate mutating func write(_ report: StartReport) {
        write(report.pid)
        write(report.startedAt.nanoseconds)
        write(report.startNanoseconds)
        write(report.wasPrepared)
        write(report.room) { $0.write($1) }
    }

    fileprivate mutating func write(_ usage: CgroupUsage) {
        for figure in CgroupUsage.figures { write(usage[keyPath: figure]) { $0.write($1) } }
    }

    fileprivate mutating func write(_ usage: ResourceUsage) {
        for number in [
            usage.userMicroseconds, usage.systemMicroseconds, usage.peakResidentBytes, usage.minorFaults,
            usage.majorFaults, usage.voluntarySwitches, usage.involuntarySwitches,
        ] { write(number) }
    }

    fileprivate mutating func write(_ report: EndReport) {
        switch report.status {
        case .exited(let status):
            write(UInt8(0))
            write(status)
        case .signaled(let number, let dumped):
            write(UInt8(dumped ? 2 : 1))
            write(number)
        }
        write(report.usage)
        write(report.endedAt.nanoseconds)
        write(report.cgroup) { $0.write($1) }
        write(report.outOfMemory)
        write(report.lostLogBytes)
    }

    fileprivate mutating func write(_ entry: SandboxReport) {
        write(entry.sandbox)
        write(entry.parent) { $0.write($1) }
        write(entry.start)
        write(entry.isFrozen)
        write(entry.end) { $0.write($1) }
    }
}

extension WireReader {
    fileprivate mutating func readStartReport() throws(WireError) -> StartReport {
        StartReport(
            pid: try readInt32(), startedAt: Timestamp(nanoseconds: try readInt()), startNanoseconds: try readInt(),
            wasPrepared: try readBool(),
            room: try readOptional { reader throws(WireError) in try reader.readText() })
    }

    fileprivate mutating func readUsage() throws(WireError) -> CgroupUsage {
        var usage = CgroupUsage()
        for figure in CgroupUsage.figures {
            usage[keyPath: figure] = try readOptional { reader throws(WireError) in try reader.readInt() }
        }
        return usage
    }

    fileprivate mutating func readResourceUsage() throws(WireError) -> ResourceUsage {
        ResourceUsage(
            userMicroseconds: try readInt(), systemMicroseconds: try readInt(), peakResidentBytes: try readInt(),
            minorFaults: try readInt(), majorFaults: try readInt(), voluntarySwitches: try readInt(),
            involuntarySwitches: try readInt())
    }

    fileprivate mutating func readEndReport() throws(WireError) -> EndReport {
        let kind = try readByte()
        let number = try readInt32()
        let status: ExitStatus
        switch kind {
        case 0: status = .exited(number)
        case 1, 2: status = .signaled(number, coreDumped: kind == 2)
        default: throw .unexpected("no kind of end: \(kind)", at: 0)
        }
        return EndReport(
            status: status, usage: try readResourceUsage(), endedAt: Timestamp(nanoseconds: try readInt()),
            cgroup: try readOptional { reader throws(WireError) in try reader.readUsage() },
            outOfMemory: try readBool(), lostLogBytes: try readInt())
    }

    fileprivate mutating func readSandbox() throws(WireError) -> SandboxReport {
        SandboxReport(
            sandbox: try readText(), parent: try readOptional { reader throws(WireError) in try reader.readText() },
            start: try readStartReport(), isFrozen: try readBool(),
            end: try readOptional { reader throws(WireError) in try reader.readEndReport() })
    }
}

extension CgroupUsage {
    /// Every figure, in the order of the wire.
    fileprivate static var figures: [WritableKeyPath<CgroupUsage, Int?>] {
        [
            \.cpuMicroseconds, \.cpuUserMicroseconds, \.cpuSystemMicroseconds, \.cpuThrottledMicroseconds,
            \.memoryBytes, \.memoryPeakBytes, \.memoryLimitHits, \.pids, \.outOfMemoryKills,
        ]
    }
}
