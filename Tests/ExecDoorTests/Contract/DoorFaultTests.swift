import Engine
import ExecDoor
import Linux
import Synchronization
import TestKit
import Testing

/// What goes wrong between shims and nodes: the caller is always answered by something correct.
@Suite(.serialized, .leavesNothing) struct DoorFaultTests {
    private static func exit7(_ stage: DoorStage) async throws -> CommandRunner.Outcome {
        try await CommandRunner.run([stage.shim, "--", "quiet", "say", "here", "exit", "7"])
    }

    @Test func `whoever is not the shim is sent to the original`() async throws {
        let stage = try DoorStage(isStrict: true)
        #expect(try await Self.exit7(stage).status == .exited(7))
        // A copy is what somebody has who may not execute the program, and so not its shim.
        let copy = stage.directory.path("copy")
        try Files.replace(copy, with: try Files.read(stage.shim, limit: 1 << 20), mode: 0o755)
        let outcome = try await CommandRunner.run([copy, "--", "quiet", "exit", "7"])
        #expect(outcome.status == .exited(7))
        #expect(try await stage.decider.settledRecords(2).map(\.way).sorted { $0.rawValue < $1.rawValue } == [.measured, .original])
        await stage.close()
    }

    @Test func `a node that does not answer is not waited for`() async throws {
        let stage = try DoorStage(decisionMilliseconds: 50, isOpen: false)
        // Somebody listens and says nothing.
        let listener = SharedFD(try StreamSocket.listen(at: stage.settings.socket))
        try Files.setPermissions(stage.settings.socket, 0o666)
        let outcome = try await Self.exit7(stage)
        #expect(outcome.status == .exited(7))
        #expect(outcome.text == "here")
        withExtendedLifetime(listener) {}
    }

    @Test func `a node whose queue is full is not waited for`() async throws {
        let stage = try DoorStage(decisionMilliseconds: 60_000, isOpen: false)
        let listener = SharedFD(try StreamSocket.listen(at: stage.settings.socket, backlog: 0))
        let first = SharedFD(try StreamSocket.connect(to: stage.settings.socket))
        let outcome = try await Self.exit7(stage)
        #expect(outcome.status == .exited(7))
        withExtendedLifetime((listener, first)) {}
    }

    @Test(arguments: [
        [UInt8](repeating: 0, count: 32), Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
        Array(ShimAnswer(.target).bytes.prefix(20)), [UInt8](repeating: 0xff, count: 4000), [],
        // Another version, and a kind that there is not.
        [0x46, 0x4b, 0x53, 0x58, 9, 0, 2, 0] + [UInt8](repeating: 0, count: 24),
        [0x46, 0x4b, 0x53, 0x58, 1, 0, 99, 0] + [UInt8](repeating: 0, count: 24),
    ])
    func `an answer that is none leads to the original`(answer: [UInt8]) async throws {
        let stage = try DoorStage(decisionMilliseconds: 500, isOpen: false)
        let node = try ScriptedNode(stage.settings.socket) { connection in
            _ = try? Files.readSome(connection.raw, count: 64)
            if !answer.isEmpty { _ = try? Files.writeSome(answer[...], to: connection.raw) }
        }
        let outcome = try await Self.exit7(stage)
        #expect(outcome.status == .exited(7))
        #expect(outcome.text == "here")
        node.end()
    }

    @Test func `a node that dies before it commits a target is none`() async throws {
        let stage = try DoorStage(decisionMilliseconds: 5000, isOpen: false)
        let node = try ScriptedNode(stage.settings.socket) { connection in
            _ = try? Files.readSome(connection.raw, count: 64)
            _ = try? Files.writeSome(ShimAnswer(.target).bytes[...], to: connection.raw)
        }
        #expect(try await Self.exit7(stage).status == .exited(7))
        node.end()
    }

    @Test func `a shim that did not wait is not answered a second time`() async throws {
        struct Counting: CallTarget {
            let count: @Sendable () -> Void
            func obstacles(to call: ShimCall) -> [String] {
                // Longer than the shim waits.
                Clock.pauseBlocking(milliseconds: 200)
                return []
            }
            func run(_ call: ShimCall, _ streams: CallStreams, _ control: CallControl) async -> CallEnd {
                count()
                return .ended(.exited(3), nil)
            }
        }
        let counter = Counted()
        let stage = try DoorStage(decisionMilliseconds: 30) { _ in
            Clock.pauseBlocking(milliseconds: 2000)
            return .target(Counting { counter.add() })
        }
        #expect(try await Self.exit7(stage).status == .exited(7))
        // What is decided in the end finds nobody, and is recorded so.
        _ = try await stage.decider.settledRecords(1)
        #expect(counter.count == 0)
        await stage.close()
    }

    @Test func `garbage is let go of and others are served`() async throws {
        let stage = try DoorStage(headMilliseconds: 2000)
        var silent: [SharedFD] = []
        for garbage in [Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0, count: 64), [1], []] {
            let connection = SharedFD(try StreamSocket.connect(to: stage.settings.socket))
            if !garbage.isEmpty { _ = try Files.writeSome(garbage[...], to: connection.raw) }
            silent.append(connection)
        }
        // A head that promises more than any call has.
        var head = [UInt8](repeating: 0, count: 64)
        head.replaceSubrange(0..<8, with: [0x46, 0x4b, 0x53, 0x58, 1, 0, 1, 0])
        head.replaceSubrange(16..<24, with: [0, 0, 0, 0, 0, 1, 0, 0])
        let large = SharedFD(try StreamSocket.connect(to: stage.settings.socket))
        _ = try Files.writeSome(head[...], to: large.raw)
        #expect(try await Self.exit7(stage).status == .exited(7))
        #expect(try await stage.decider.settledRecords(1).count == 1)
        try await eventually("all of them are let go of") { stage.door.counts.refused >= 5 }
        await stage.close()
        withExtendedLifetime((silent, large)) {}
    }

    @Test func `calls of a shift that is no more are answered by the original`() async throws {
        let stage = try DoorStage { _ in nil }
        #expect(try await Self.exit7(stage).status == .exited(7))
        #expect(stage.decider.records.isEmpty)
        await stage.close()
    }

    @Test func `a door that is closed and opened serves again`() async throws {
        let stage = try DoorStage()
        #expect(try await Self.exit7(stage).status == .exited(7))
        // A door that closes forgets the calls whose ends it has not heard of.
        _ = try await stage.decider.settledRecords(1)
        await stage.close()
        #expect(try await Self.exit7(stage).status == .exited(7))
        try stage.door.start()
        #expect(try await Self.exit7(stage).status == .exited(7))
        _ = try await stage.decider.settledRecords(2)
        #expect(stage.decider.heads.count == 2)
        await stage.close()
    }

    @Test func `an original that is gone is said to be`() async throws {
        let directory = try TemporaryDirectory("vanishing")
        try Files.setPermissions(directory.path, 0o755)
        let program = directory.path("program")
        try Files.replace(program, with: try Files.read(try ToldProgram.path(), limit: 16 << 20), mode: 0o755)
        let stage = try DoorStage(program: program)
        try Files.remove(program)
        let outcome = try await CommandRunner.run([stage.shim])
        #expect(outcome.status == .exited(127))
        #expect(outcome.errorText == "forkless-shim: execute \(program): errno 2\n")
        await stage.close()
    }
}

/// Counts from anywhere.
final class Counted: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
}

/// Listens where a node would, and does one thing with each connection before it closes it.
final class ScriptedNode: Sendable {
    private let listener: SharedFD

    init(_ path: String, _ serve: @escaping @Sendable (SharedFD) -> Void) throws {
        let listener = SharedFD(try StreamSocket.listen(at: path))
        self.listener = listener
        try HelperThread.start("scripted-node") {
            while (try? Descriptors.isReadable(listener.raw, withinMilliseconds: 20_000)) == true {
                guard let connection = try? MessageSocket.accept(from: listener.raw) else { return }
                let shared = SharedFD(connection)
                _ = try? Descriptors.isReadable(shared.raw, withinMilliseconds: 1000)
                serve(shared)
            }
        }
    }

    func end() { MessageSocket.end(listener.raw) }
}
