import Engine
import HTTPServing
import JSON
import Keeper
import Lambda
import Linux
import Metering
import Sandbox
import Synchronization
import TestKit
import Testing

@testable import Functions

/// A keeper, a launcher and a loop of a test's own, on which instances of the fixture play.
final class InstanceStage: Sendable {
    let link: KeeperLink
    let launcher: SandboxLauncher
    let loop: ServingLoop
    let directory: TemporaryDirectory
    private let loops: ServingLoops
    private let running: Task<Void, Never>

    init(_ directory: TemporaryDirectory) async throws {
        self.directory = directory
        try Files.makeDirectories(directory.path("run"))
        let link = KeeperLink(
            KeeperProcess(run: directory.path("run"), executable: try BuiltFile.path("forkless-keeper")), nodeName: "instances test")
        self.link = link
        let ground = InstanceGround(
            images: nil, state: directory.path("functions"), region: "us-east-1", machine: try .ofThisMachine(), note: { _ in })
        launcher = try SandboxLauncher(link, ground)
        loops = ServingLoops(count: 1)
        loop = loops.loops[0]
        await link.add(launcher.sandboxes.lives)
        running = Task { await link.run() }
        try await link.untilUp()
    }

    /// Ends the keeper and everything in it.
    func end() async throws {
        await launcher.close()
        try await link.shutDown(killing: true)
        await running.value
        await loops.shutDown()
    }

    // Functions.

    /// A function of the fixture, which is its bootstrap.
    func function(
        _ name: String = "play", environment: [String: String] = [:], memoryMB: Int = 1769, timeout: Int = 10
    ) throws -> DeployedFunction {
        let code = directory.path("code-\(name)")
        try Files.makeDirectories(code)
        if !Files.exists(code + "/bootstrap") { try Fixture.shared.get().copy(to: code + "/bootstrap") }
        return DeployedFunction(
            name: name, version: "$LATEST", arn: "arn:aws:lambda:us-east-1:000000000000:function:\(name)", revision: "1",
            codeDigest: "digest", runtime: .bootstrap, handler: "play.handler", codeDirectory: code,
            environment: environment, memoryMB: memoryMB, timeoutSeconds: timeout)
    }

    /// A program that reads standard input.
    func program(_ line: String, name: String = "program", timeout: Int = 10) throws -> DeployedFunction {
        var function = try function(name, timeout: timeout)
        function.runtime = .stdio
        function.handler = line
        return function
    }

    func launch(_ function: DeployedFunction, isProvisioned: Bool = false) async -> StagedInstance {
        let launcher = launcher
        return await loop.run {
            let staged = StagedInstance(self.loop, function)
            staged.instance = LoopBound(
                launcher.launch(function, isProvisioned: isProvisioned, on: self.loop) { [weak staged] event in staged?.take(event) },
                on: self.loop)
            return staged
        }
    }

    /// An instance that is ready.
    func ready(_ function: DeployedFunction, isProvisioned: Bool = false) async throws -> StagedInstance {
        let staged = await launch(function, isProvisioned: isProvisioned)
        _ = try await staged.ready()
        return staged
    }

    /// The log of a function, without the times.
    func log(_ name: String) throws -> [String] {
        launcher.logs.flushAll()
        var lines: [String] = []
        for file in ["log.1", "log"] where Files.exists(launcher.logs.directory(of: name) + "/" + file) {
            let text = String(
                decoding: try Files.read(launcher.logs.directory(of: name) + "/" + file, limit: 64 << 20), as: UTF8.self)
            lines += text.split(separator: "\n").map { String($0.split(separator: " ", maxSplits: 3).last ?? "") }
        }
        return lines
    }
}

/// The fixture, compiled once.
enum Fixture {
    struct Program: Sendable {
        var path: String

        func copy(to target: String) throws {
            try Files.replace(target, with: try Files.read(path, limit: 16 << 20), mode: 0o755)
        }
    }

    static let directory = try? TemporaryDirectory("fixture")

    static let shared = Result {
        let source = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let path = try #require(directory).path("bootstrap")
        let outcome = try CommandRunner.runBlocking(["cc", "-O1", "-static", "-o", path, "/\(source)/Fixtures/bootstrap.c"])
        try #require(outcome.status == .exited(0), "\(outcome.errorText)")
        return Program(path: path)
    }
}

/// An instance with what it has told.
final class StagedInstance: Sendable {
    let loop: ServingLoop
    let function: DeployedFunction
    private let events = Mutex<[InstanceEvent]>([])
    private let bound = Mutex<LoopBound<any FunctionInstance>?>(nil)

    init(_ loop: ServingLoop, _ function: DeployedFunction) {
        self.loop = loop
        self.function = function
    }

    var instance: LoopBound<any FunctionInstance> {
        get { bound.withLock { $0! } }
        set { bound.withLock { $0 = newValue } }
    }

    func take(_ event: InstanceEvent) { events.withLock { $0.append(event) } }

    var told: [InstanceEvent] { events.withLock { $0 } }

    func name() async -> String { await loop.run { self.instance.value.name } }

    /// - Throws: the failure, when it does not become ready.
    func ready() async throws -> InstanceReady {
        try await eventuallySome(within: .seconds(30), "a ready instance") {
            for event in self.told {
                if case .ready(let ready) = event { return ready }
                if case .failed(let failure) = event { throw failure }
            }
            return nil
        }
    }

    func failed() async throws -> InstanceStartFailure {
        try await eventuallySome(within: .seconds(30), "a failure") {
            for event in self.told { if case .failed(let failure) = event { return failure } }
            return nil
        }
    }

    @discardableResult
    func ended() async throws -> String {
        try await eventuallySome(within: .seconds(30), "the end of an instance") {
            if case .ended(let sentence) = self.told.last { return sentence }
            return nil
        }
    }

    func stop(_ reason: InstanceStopReason = .spindown) async { await loop.run { self.instance.value.stop(reason) } }

    func invocation(_ payload: [UInt8], id: String? = nil) -> Invocation {
        Invocation(
            requestID: id ?? InstanceSurroundings.randomUUID(), function: function, invokedARN: function.arn, payload: payload,
            trace: "Root=1-0-0", arrivedAt: Instant(nanoseconds: Clock.monotonicNanoseconds()), arrivedAtTime: Clock.now())
    }

    func invoke(_ text: String, id: String? = nil) async throws -> InvocationAnswer {
        try await invoke(invocation(Array(text.utf8), id: id))
    }

    func invoke(_ invocation: Invocation) async throws -> InvocationAnswer {
        let outcome: InvocationOutcome = await withCheckedContinuation { continuation in
            loop.execute { self.instance.value.invoke(invocation) { continuation.resume(returning: $0) } }
        }
        switch outcome {
        case .answered(let answer): return answer
        case .failed(let failure): throw failure
        }
    }
}

extension InvocationAnswer {
    var text: String { String(decoding: payload, as: UTF8.self) }
    var log: String { String(decoding: logTail, as: UTF8.self) }
    var json: JSONValue? { try? JSONParser.parse(payload) }
}

/// Runs a test on a stage, and looks for what it leaves behind.
func withStage(_ body: (InstanceStage) async throws -> Void) async throws {
    // Made first: the thread of `Readiness` and the like stay.
    _ = try Fixture.shared.get()
    let directory = try TemporaryDirectory("instances")
    var scope = Census.Scope(only: [.descriptor, .cgroup, .mount, .file])
    scope.places = [Census.Place(directory: directory.path)]
    // Only this keeper's: others may run beside.
    scope.cgroupPrefix = parentName(for: directory.path("run"))
    scope.ignores = { $0.kind == .descriptor && !$0.sentence.contains("pipe:") && !$0.sentence.contains("net:") }
    let before = await Census.take(scope)
    try await play(on: directory, body)
    try Files.removeTree(directory.path)
    #expect(await Census.settled(since: before, within: .seconds(5)) == [])
}

/// The stage is gone when this returns.
private func play(on directory: TemporaryDirectory, _ body: (InstanceStage) async throws -> Void) async throws {
    let stage = try await InstanceStage(directory)
    do {
        try await body(stage)
        try await eventually("an empty keeper") { try await stage.link.list().isEmpty }
        try await eventually("no life in the book") { stage.launcher.sandboxes.lives.count == 0 }
    } catch {
        try await stage.end()
        throw error
    }
    try await stage.end()
}

/// The name that a keeper gives its cgroups, by its run directory (FNV-1a).
private func parentName(for directory: String) -> String {
    let hash = directory.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let digits = String(hash, radix: 16)
    return "forkless-" + String(repeating: "0", count: 8 - digits.count) + digits
}
