import Linux
import Spawn
import TestKit
import Testing

/// Children that are steered through stops.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SteeredLaunchTests {
    private func program(_ change: (inout StepProgram) -> Void = { _ in }) -> (StepProgram, Slot) {
        var steps = StepProgram()
        let socket = steps.slot()
        steps.add(.unshareFiles(lowest: 3))
        steps.add(.park(socket, first: socket, count: 0))
        change(&steps)
        steps.add(.signalMask(0))
        steps.add(.execute(nil))
        return (steps, socket)
    }

    private let call = ProgramCall(path: "/bin/sh", arguments: ["sh", "-c", "exit 7"], environment: [])

    @Test func `a steered child waits at its stop and then runs its program`() throws {
        let (steps, socket) = program()
        let launch = try SteeredLaunch(
            steps, call: ProgramCall(path: "", arguments: [], environment: []), parkingAt: socket)
        _ = try launch.awaitWord()
        launch.replace(call)
        try launch.goOn()
        try launch.awaitProgram()
        #expect(try ExitRecord.reap(pidfd: launch.pidfd.raw, block: true)?.status == .exited(7))
    }

    @Test func `a steered child's failure names the step`() throws {
        let (steps, socket) = program { $0.add(.changeDirectory("/nonexistent")) }
        let launch = try SteeredLaunch(steps, call: call, parkingAt: socket)
        _ = try launch.awaitWord()
        try launch.goOn()
        let error = #expect(throws: SpawnError.self) { try launch.awaitProgram() }
        #expect(error?.step == "change directory to /nonexistent" && error?.code == .noEntry)
        launch.abandon()
    }

    @Test func `a program that may not be executed is told before the exec`() throws {
        let (steps, socket) = program {
            $0.add(.checkProgram)
            $0.add(.changeDirectory("/never"))
        }
        let launch = try SteeredLaunch(
            steps, call: ProgramCall(path: "/etc/passwd", arguments: ["x"], environment: []), parkingAt: socket)
        _ = try launch.awaitWord()
        try launch.goOn()
        let error = #expect(throws: SpawnError.self) { try launch.awaitProgram() }
        #expect(error?.step == "execute /etc/passwd" && error?.code == .accessDenied)
        launch.abandon()
    }

    @Test func `a child that waits for its go finds what its slots were filled with meanwhile`() throws {
        var steps = StepProgram()
        let (socket, file) = (steps.slot(), steps.slot())
        steps.add(.awaitGo)
        steps.add(.write(Array("it is here".utf8), to: file, meaning: "the file"))
        steps.add(.unshareFiles(lowest: 3))
        steps.add(.park(socket, first: socket, count: 0))
        steps.add(.signalMask(0))
        steps.add(.execute(nil))
        let launch = try SteeredLaunch(steps, call: call, parkingAt: socket)
        let memory = SharedFD(try Files.memory(named: "filled"))
        launch.fill(file, with: memory)
        launch.letGo()
        _ = try launch.awaitWord()
        #expect(try Files.readAll(from: memory.raw, limit: 100) == Array("it is here".utf8))
        launch.abandon()
    }

    @Test func `a namespace that cannot be joined is named`() throws {
        let null = SharedFD(try Files.open("/dev/null", 0))
        let (steps, socket) = program()
        let error = #expect(throws: SpawnError.self) {
            _ = try SteeredLaunch(
                steps, call: call, parkingAt: socket,
                entering: [SteeredLaunch.Entry(null.raw, .network, name: "the network namespace /dev/null")])
        }
        #expect(error?.step == "join the network namespace /dev/null" && error?.code == .invalid)
    }
}
