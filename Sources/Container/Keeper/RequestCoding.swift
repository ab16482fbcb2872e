import Linux
import Sandbox
import Spawn

// Requests on the wire. (test: `every request survives the wire`, `no bytes whatever trap the reader`)

/// The protocol between node and keeper.
package enum KeeperProtocol {
    package static let version: UInt8 = 7
    /// Version, kind, request number.
    package static let headerBytes = 10
    /// Longest body that travels in a memory file, bytes: 2 MiB of environment, as much of arguments, and room.
    package static let bodyBytesLimit = 16 << 20
}

extension KeeperRequest {
    /// The message as bytes; `number` comes back with the answer.
    package func encoded(number: UInt64) -> [UInt8] {
        var writer = WireWriter()
        writer.write(KeeperProtocol.version)
        writer.write(kind.rawValue)
        writer.write(number)
        switch self {
        case .hello(let node): writer.write(node)
        case .define(let plan): writer.write(plan)
        case .drop(let template): writer.write(template)
        case .prepare(let template, let count):
            writer.write(template)
            writer.write(count)
        case .start(let request): writer.write(request)
        case .execute(let request): writer.write(request)
        case .signal(let sandbox, let number, let wholeTree):
            writer.write(sandbox)
            writer.write(number)
            writer.write(wholeTree)
        case .freeze(let sandbox), .thaw(let sandbox), .usage(let sandbox), .acknowledge(let sandbox),
            .attach(let sandbox):
            writer.write(sandbox)
        case .resize(let sandbox, let size):
            writer.write(sandbox)
            writer.write(size)
        case .limit(let sandbox, let limits):
            writer.write(sandbox)
            writer.write(limits)
        case .list, .status: break
        case .shutdown(let killing): writer.write(killing)
        }
        return writer.bytes
    }

    /// Reads a message.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> (request: KeeperRequest, number: UInt64) {
        var reader = WireReader(bytes)
        let version = try reader.readByte()
        guard version == KeeperProtocol.version else {
            throw .unexpected("protocol version \(version); this keeper speaks \(KeeperProtocol.version)", at: 0)
        }
        let rawKind = try reader.readByte()
        guard let kind = Kind(rawValue: rawKind) else { throw .unexpected("no request has the kind \(rawKind)", at: 1) }
        let number = try reader.readUInt64()
        let request = try decode(kind, &reader)
        try reader.finish()
        return (request, number)
    }

    private static func decode(_ kind: Kind, _ reader: inout WireReader) throws(WireError) -> KeeperRequest {
        switch kind {
        case .hello: return .hello(node: try reader.readText())
        case .define: return .define(try reader.readPlan())
        case .drop: return .drop(template: try reader.readUInt32())
        case .prepare: return .prepare(template: try reader.readUInt32(), count: try reader.readUInt32())
        case .start: return .start(try reader.readStart())
        case .execute: return .execute(try reader.readExecute())
        case .signal:
            return .signal(
                sandbox: try reader.readText(), number: try reader.readInt32(), wholeTree: try reader.readBool())
        case .freeze: return .freeze(sandbox: try reader.readText())
        case .thaw: return .thaw(sandbox: try reader.readText())
        case .resize: return .resize(sandbox: try reader.readText(), try reader.readSize())
        case .usage: return .usage(sandbox: try reader.readText())
        case .limit: return .limit(sandbox: try reader.readText(), try reader.readLimits())
        case .list: return .list
        case .acknowledge: return .acknowledge(sandbox: try reader.readText())
        case .attach: return .attach(sandbox: try reader.readText())
        case .status: return .status
        case .shutdown: return .shutdown(killing: try reader.readBool())
        }
    }

    private enum Kind: UInt8 {
        case hello = 1, define, drop, prepare, start, execute, signal, freeze, thaw, resize, usage, list, acknowledge,
            attach, status, shutdown, limit
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .define: .define
        case .drop: .drop
        case .prepare: .prepare
        case .start: .start
        case .execute: .execute
        case .signal: .signal
        case .freeze: .freeze
        case .thaw: .thaw
        case .resize: .resize
        case .usage: .usage
        case .limit: .limit
        case .list: .list
        case .acknowledge: .acknowledge
        case .attach: .attach
        case .status: .status
        case .shutdown: .shutdown
        }
    }
}

extension WireWriter {
    mutating func write(_ call: ProgramCall) {
        write(call.path)
        write(call.arguments.bytes)
        write(call.environment.bytes)
        write(call.directory) { $0.write($1) }
        write(call.hostname) { $0.write($1) }
    }

    mutating func write(_ size: Terminal.Size) { write(UInt32(size.rows) << 16 | UInt32(size.columns)) }

    fileprivate mutating func write(_ request: StartRequest) {
        write(request.template)
        write(request.sandbox)
        write(request.call)
        switch request.stdio {
        case .passed: write(UInt8(0))
        case .logged: write(UInt8(1))
        case .terminal(let size):
            write(UInt8(2))
            write(size)
        case .pipes: write(UInt8(3))
        }
        write(request.logBytesLimit)
        write(request.attached)
        write(request.room) { $0.write($1) }
        for text in [request.files.hosts, request.files.hostname, request.files.resolver] {
            write(text) { $0.write($1) }
        }
        write(request.beneath) { $0.write($1) }
        write(request.among) { $0.write($1) }
    }

    fileprivate mutating func write(_ request: ExecuteRequest) {
        write(request.sandbox)
        write(request.name)
        write(request.call)
        write(request.terminal) { $0.write($1) }
        write(request.identity) { $0.write($1) }
    }
}

extension WireReader {
    mutating func readSize() throws(WireError) -> Terminal.Size {
        let packed = try readUInt32()
        return Terminal.Size(rows: UInt16(packed >> 16), columns: UInt16(packed & 0xffff))
    }

    mutating func readCall() throws(WireError) -> ProgramCall {
        let path = try readText()
        let arguments = try readStrings()
        let environment = try readStrings()
        guard arguments.count > 0 else { throw .unexpected("a program has at least its own name as argument", at: 0) }
        return ProgramCall(
            path: path, arguments: arguments, environment: environment,
            directory: try readOptional { reader throws(WireError) in try reader.readText() },
            hostname: try readOptional { reader throws(WireError) in try reader.readText() })
    }

    private mutating func readStrings() throws(WireError) -> StringBlock {
        guard let block = StringBlock(bytes: try readBlock()) else {
            throw .unexpected("arguments and environment end with NUL", at: 0)
        }
        return block
    }

    fileprivate mutating func readStart() throws(WireError) -> StartRequest {
        let template = try readUInt32()
        let sandbox = try readText()
        let call = try readCall()
        let stdio: StandardStreams
        switch try readByte() {
        case 0: stdio = .passed
        case 1: stdio = .logged
        case 2: stdio = .terminal(try readSize())
        case 3: stdio = .pipes
        case let other: throw .unexpected("no kind of standard streams: \(other)", at: 0)
        }
        return StartRequest(
            template: template, sandbox: sandbox, call: call, stdio: stdio, logBytesLimit: try readInt(),
            attached: try readBool(), room: try readOptional { reader throws(WireError) in try reader.readText() },
            files: try readFiles(), beneath: try readOptional { reader throws(WireError) in try reader.readText() },
            among: try readOptional { reader throws(WireError) in try reader.readText() })
    }

    private mutating func readFiles() throws(WireError) -> RoomFiles {
        RoomFiles(
            hosts: try readOptional { reader throws(WireError) in try reader.readText() },
            hostname: try readOptional { reader throws(WireError) in try reader.readText() },
            resolver: try readOptional { reader throws(WireError) in try reader.readText() })
    }

    fileprivate mutating func readExecute() throws(WireError) -> ExecuteRequest {
        ExecuteRequest(
            sandbox: try readText(), name: try readText(), call: try readCall(),
            terminal: try readOptional { reader throws(WireError) in try reader.readSize() },
            identity: try readOptional { reader throws(WireError) in try reader.readIdentity() })
    }
}
