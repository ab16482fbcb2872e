import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

/// A real keeper in a process of its own, spoken to by a plain blocking client.
///
/// It ends with the last reference, in order; a keeper that does not end is killed and is an issue of the test.
final class KeeperProcess {
    let run: TemporaryDirectory
    let pid: Int32
    private(set) var client: KeeperClient
    private(set) var identity: KeeperIdentity
    private var isStopped = false

    var socketPath: String { "\(run.path)/keeper.sock" }

    /// Starts a keeper and says hello.
    init(in directory: TemporaryDirectory? = nil) throws {
        run = try directory ?? TemporaryDirectory("keepertest")
        let number = run.path.split(separator: "-").last ?? ""
        pid = try Self.launch(
            [
                "--socket", "\(run.path)/keeper.sock", "--run", run.path, "--cgroup-parent",
                "forkless-keepertest-\(number)",
            ])
        client = try KeeperClient("\(run.path)/keeper.sock", patience: .seconds(30))
        identity = try client.hello()
    }

    /// Starts the executable with these arguments and returns its pid.
    static func launch(_ arguments: [String], errors: CInt = 2) throws -> Int32 {
        let executable = try BuiltFile.path("forkless-keeper")
        var program = StepProgram()
        let standardError = program.slot(errors)
        program.add(.unshareFiles(lowest: 3))
        program.add(.duplicate(standardError, to: 2))
        program.add(.setSession)
        program.add(.signalMask(0))
        program.add(.execute(nil))
        let launched = try CompiledProgram(program).start(
            ProgramCall(path: executable, arguments: StringBlock([executable] + arguments), environment: []))
        return launched.pid
    }

    /// A new connection, as a node makes that comes back; the old one is closed.
    func reconnect() throws {
        client = try KeeperClient(socketPath)
        identity = try client.hello()
    }

    func ask(_ request: KeeperRequest, _ descriptors: [CInt] = []) throws -> KeeperReply {
        try client.ask(request, descriptors).reply
    }

    /// Asks for something that is answered by `.done`.
    @discardableResult
    func demand(_ request: KeeperRequest, _ descriptors: [CInt] = []) throws -> [SharedFD] {
        let (reply, descriptors) = try client.ask(request, descriptors)
        guard case .done = reply else { throw TestFailure("\(reply)") }
        return descriptors
    }

    /// Asks for something that is to be refused; returns why.
    func refusal(_ request: KeeperRequest, _ descriptors: [CInt] = []) throws -> KeeperFailure {
        let reply = try ask(request, descriptors)
        guard case .failed(let failure) = reply else { throw TestFailure("not refused: \(reply)") }
        return failure
    }

    func end(of name: String) throws -> EndReport { try client.end(of: name) }

    func define(_ plan: SandboxPlan) throws -> UInt32 {
        let reply = try ask(.define(plan))
        guard case .template(let number) = reply else { throw TestFailure("define: \(reply)") }
        return number
    }

    func status() throws -> KeeperStatus {
        guard case .status(let status) = try ask(.status) else { throw TestFailure("no status") }
        return status
    }

    /// Whether the keeper comes to have so many descriptors open: its janitor closes a moment after the answer.
    func settles(atDescriptors expected: Int) throws -> Bool { try settles(atDescriptors: expected...expected) }

    func settles(atDescriptors expected: ClosedRange<Int>) throws -> Bool {
        for _ in 0..<3000 {
            if try expected.contains(status().openDescriptors) { return true }
            usleep(10_000)
        }
        return false
    }

    func list() throws -> [SandboxReport] {
        guard case .list(let list) = try ask(.list) else { throw TestFailure("no list") }
        return list
    }

    /// Starts what the request says; throws what the keeper answers instead of a start.
    func start(_ request: StartRequest, _ descriptors: [CInt] = []) throws -> Started {
        let (reply, ends) = try client.ask(.start(request), descriptors)
        switch reply {
        case .started(let report): return Started(report: report, ends: ends)
        case .failed(let failure): throw failure
        default: throw TestFailure("start: \(reply)")
        }
    }

    /// Starts a shell command with pipes.
    func start(
        _ command: String, in plan: SandboxPlan = SandboxPlan(), name: String, streams: StandardStreams = .pipes,
        attached: Bool = false, logBytesLimit: Int = 16 << 20, _ descriptors: [CInt] = []
    ) throws -> Started {
        try start(
            StartRequest(
                template: try define(plan), sandbox: name, call: .shell(command), stdio: streams,
                logBytesLimit: logBytesLimit, attached: attached), descriptors)
    }

    /// Runs a shell command in a sandbox of the plan; returns its output and how it ended.
    func shell(_ command: String, in plan: SandboxPlan = SandboxPlan()) throws -> (output: String, end: EndReport) {
        try run(.shell(command), in: plan)
    }

    /// Runs a program in a sandbox of the plan to its end.
    func run(_ call: ProgramCall, in plan: SandboxPlan = SandboxPlan()) throws -> (output: String, end: EndReport) {
        let name = "t\(UInt64.random(in: 0...UInt64.max))"
        let started = try start(
            StartRequest(template: try define(plan), sandbox: name, call: call, stdio: .pipes))
        let output = try started.text(1) + started.text(2)
        let end = try end(of: name)
        try demand(.acknowledge(sandbox: name))
        return (output, end)
    }

    /// Ends the keeper in order and waits until it is gone.
    func stop() {
        guard !isStopped else { return }
        isStopped = true
        _ = try? ask(.shutdown(killing: true))
        if !Self.wait(for: pid) { Issue.record("the keeper did not end when it was told to") }
    }

    /// Kills the keeper, as a crash would.
    func crash() {
        isStopped = true
        kill(pid, SIGKILL)
        _ = Self.wait(for: pid)
    }

    /// Tells the keeper to end by signal, and waits.
    func terminate() {
        isStopped = true
        kill(pid, SIGTERM)
        if !Self.wait(for: pid) { Issue.record("the keeper did not end on SIGTERM") }
    }

    /// Reaps a child of the test; false when it had to be killed after half a minute.
    static func wait(for pid: Int32) -> Bool {
        var status: Int32 = 0
        for _ in 0..<30_000 {
            if waitpid(pid, &status, WNOHANG) != 0 { return true }
            usleep(1000)
        }
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
        return false
    }

    deinit { stop() }
}

/// A program that was started, with the descriptors that came with the answer.
struct Started {
    var report: StartReport
    var ends: [SharedFD]

    /// Everything that comes from one of the descriptors.
    func text(_ index: Int) throws -> String { String(decoding: try Files.readAll(ends[index].raw), as: UTF8.self) }
}

/// One connection to a keeper. Nothing takes longer than its patience: a keeper that hangs makes a test red.
final class KeeperClient {
    let socket: MessageSocket
    private var number: UInt64 = 0
    private(set) var events: [KeeperReply] = []

    init(_ path: String, patience: Duration = .seconds(1)) throws {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            do {
                socket = try MessageSocket.connect(to: path)
                break
            } catch {
                guard clock.now < deadline else { throw error }
                usleep(2000)
            }
        }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket.fd.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket.fd.raw, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func hello() throws -> KeeperIdentity {
        guard case .hello(let identity) = try ask(.hello(node: "test")).reply else { throw TestFailure("no hello") }
        return identity
    }

    /// Sends a request and does not wait for its answer; returns its number.
    @discardableResult
    func send(_ request: KeeperRequest, _ descriptors: [CInt] = []) throws -> UInt64 {
        number += 1
        let folded = try KeeperProtocol.fold(request.encoded(number: number))
        try socket.send(folded.bytes, descriptors: descriptors + (folded.file.map { [$0.raw] } ?? []))
        return number
    }

    /// The next message; nil when the keeper has closed the connection.
    func receive() throws -> (reply: KeeperReply, number: UInt64, descriptors: [SharedFD])? {
        guard var message = try socket.receive() else { return nil }
        try KeeperProtocol.unfold(&message)
        let (reply, number) = try KeeperReply.decode(message.bytes)
        return (reply, number, message.descriptors)
    }

    func answer(to number: UInt64) throws -> (reply: KeeperReply, descriptors: [SharedFD]) {
        while true {
            guard let next = try receive() else { throw TestFailure("the keeper closed the connection") }
            if next.number == number { return (next.reply, next.descriptors) }
            events.append(next.reply)
        }
    }

    func ask(_ request: KeeperRequest, _ descriptors: [CInt] = []) throws -> (
        reply: KeeperReply, descriptors: [SharedFD]
    ) {
        try answer(to: try send(request, descriptors))
    }

    /// The end of a program, from events that came or come.
    func end(of name: String) throws -> EndReport {
        while true {
            for (index, event) in events.enumerated() {
                guard case .ended(name, let report) = event else { continue }
                events.remove(at: index)
                return report
            }
            guard let next = try receive() else { throw TestFailure("the keeper closed the connection") }
            events.append(next.reply)
        }
    }
}

extension ProgramCall {
    /// A command for the shell with the usual search path.
    static func shell(_ command: String, directory: String? = nil) -> ProgramCall {
        ProgramCall(
            path: "/bin/sh", arguments: StringBlock(["sh", "-c", command]),
            environment: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"], directory: directory)
    }

    /// A program with arguments and nothing else.
    static func program(_ arguments: String..., environment: StringBlock = []) -> ProgramCall {
        ProgramCall(path: arguments[0], arguments: StringBlock(arguments), environment: environment)
    }
}

extension SandboxPlan {
    /// A plan that differs from the standard one in something.
    static func with(_ change: (inout SandboxPlan) -> Void) -> SandboxPlan {
        var plan = SandboxPlan()
        change(&plan)
        return plan
    }

    /// What a program of the process rung has: nothing isolated.
    static var unisolated: SandboxPlan {
        with {
            $0.namespaces = []
            $0.root = .unchanged
            $0.maskedPaths = []
            $0.readOnlyPaths = []
            $0.temporaryBytes = nil
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
