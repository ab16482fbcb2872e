import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

/// A real keeper in a process of its own, spoken to by a plain blocking client.
final class KeeperProcess {
    let run: TemporaryDirectory
    let pid: Int32
    private(set) var socket: MessageSocket
    private var number: UInt64 = 0
    private(set) var events: [KeeperReply] = []

    /// Starts a keeper and says hello.
    init() throws {
        run = try TemporaryDirectory()
        let executable = try Self.executable()
        let template = try Self.template(executable, run: run.path)
        let launched = try template.start(
            ProgramCall(
                path: executable,
                arguments: StringBlock([executable, "--socket", "\(run.path)/keeper.sock", "--run", run.path]),
                environment: []))
        pid = launched.pid
        socket = try Self.connect("\(run.path)/keeper.sock")
        guard case .hello = try ask(.hello(node: "test")) else { throw TestFailure("no hello") }
    }

    private static func template(_ executable: String, run: String) throws -> CompiledProgram {
        var program = StepProgram()
        program.add(.unshareFiles(lowest: 3))
        program.add(.setSession)
        program.add(.signalMask(0))
        program.add(.execute(nil))
        return CompiledProgram(program)
    }

    static func executable() throws -> String {
        let own = try Files.link("/proc/self/exe")
        var directory = own.split(separator: "/").dropLast().map(String.init)
        while !directory.isEmpty {
            let candidate = "/" + directory.joined(separator: "/") + "/forkless-keeper"
            if Files.exists(candidate) { return candidate }
            directory.removeLast()
        }
        for configuration in ["debug", "release"] where Files.exists(".build/\(configuration)/forkless-keeper") {
            return ".build/\(configuration)/forkless-keeper"
        }
        throw TestFailure("forkless-keeper is not built")
    }

    static func connect(_ path: String) throws -> MessageSocket {
        for _ in 0..<200 {
            if let socket = try? MessageSocket.connect(to: path) { return socket }
            usleep(10_000)
        }
        throw TestFailure("no keeper answers at \(path)")
    }

    /// A new connection, as a node makes that comes back.
    func reconnect() throws {
        socket = try Self.connect("\(run.path)/keeper.sock")
        guard case .hello = try ask(.hello(node: "test again")) else { throw TestFailure("no hello") }
    }

    func ask(_ request: KeeperRequest, _ descriptors: [CInt] = []) throws -> KeeperReply {
        try askForDescriptors(request, descriptors).reply
    }

    func askForDescriptors(
        _ request: KeeperRequest, _ descriptors: [CInt] = []
    ) throws -> (reply: KeeperReply, descriptors: [SharedFD]) {
        number += 1
        let folded = try KeeperProtocol.fold(request.encoded(number: number))
        try socket.send(folded.bytes, descriptors: descriptors + (folded.file.map { [$0.raw] } ?? []))
        while true {
            guard var message = try socket.receive() else { throw TestFailure("the keeper closed the connection") }
            try KeeperProtocol.unfold(&message)
            let (reply, answered) = try KeeperReply.decode(message.bytes)
            if answered == number { return (reply, message.descriptors) }
            events.append(reply)
        }
    }

    /// The end of a program, from events that came or come.
    func end(of name: String) throws -> EndReport {
        while true {
            for case .ended(let sandbox, let report) in events where sandbox == name { return report }
            guard var message = try socket.receive() else { throw TestFailure("the keeper closed the connection") }
            try KeeperProtocol.unfold(&message)
            events.append(try KeeperReply.decode(message.bytes).reply)
        }
    }

    func define(_ plan: SandboxPlan) throws -> UInt32 {
        let reply = try ask(.define(plan))
        guard case .template(let number) = reply else { throw TestFailure("define: \(reply)") }
        return number
    }

    /// Runs a shell command in a sandbox of the plan; returns its standard output and how it ended.
    func shell(_ command: String, in plan: SandboxPlan, name: String = "t\(Int.random(in: 0..<Int.max))") throws -> (
        output: String, end: EndReport
    ) {
        let template = try define(plan)
        let call = ProgramCall(
            path: "/bin/sh", arguments: StringBlock(["sh", "-c", command]),
            environment: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"])
        let (reply, ends) = try askForDescriptors(
            .start(StartRequest(template: template, sandbox: name, call: call, stdio: .pipes)))
        guard case .started = reply else { throw TestFailure("start: \(reply)") }
        let output = try Files.readAll(ends[1].raw) + Files.readAll(ends[2].raw)
        let end = try end(of: name)
        _ = try ask(.acknowledge(sandbox: name))
        return (String(decoding: output, as: UTF8.self), end)
    }

    /// Ends the keeper in order and waits until it is gone.
    func stop() throws {
        _ = try? ask(.shutdown(killing: true))
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
