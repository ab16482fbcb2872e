import Linux
import TestKit
import Testing

@testable import Spawn

/// The core below templates: parked children, and the copying baseline.
@Suite struct LaunchTests {
    /// A program that parks, then runs `path` with the descriptor of its call as standard output.
    private func parking(_ failing: Step? = nil, after: Step? = nil) -> (CompiledProgram, socket: Slot) {
        var program = StepProgram()
        let socket = program.slot()
        let output = program.slot()
        program.add(.unshareFiles(lowest: 0))
        if let failing { program.add(failing) }
        program.add(.park(socket, first: output, count: 1))
        if let after { program.add(after) }
        program.add(.moveUp(output, lowest: 10))
        program.add(.closeFrom(0))
        program.add(.duplicate(output, to: 1))
        program.add(.signalMask(0))
        program.add(.execute(nil))
        return (CompiledProgram(program), socket)
    }

    private func reap(_ launch: inout ParkedLaunch) throws -> ExitRecord {
        try ProcessFD(adopting: launch.takePidfd()).reapBlocking()
    }

    @Test func `a parked child runs the call that it is given`() throws {
        let (program, socket) = parking()
        var launch = try ParkedLaunch(program, parkingAt: socket)
        try launch.confirmParked()
        var pipe = try Files.pipe()
        let reader = pipe.takeReader()
        do {
            let writer = pipe.takeWriter()
            let call = ProgramCall(path: "/bin/echo", arguments: ["echo", "called"], environment: [])
            try launch.release(call, descriptors: [writer.raw])
        }
        #expect(String(decoding: try Files.readAll(reader.raw), as: UTF8.self) == "called\n")
        #expect(try reap(&launch).status == .exited(0))
        #expect(launch.failure() == nil)
    }

    @Test func `descriptors of a preparing child stay open until it parks`() throws {
        // The child waits with the shared table, so what it names must be there: it is, and it is gone with it later.
        var program = StepProgram()
        let socket = program.slot()
        let early = program.slot()
        program.add(.awaitGo)
        program.add(.unshareFiles(lowest: 0))
        program.add(.write(Array("from the child".utf8), to: early, meaning: "a pipe"))
        program.add(.park(socket, first: early, count: 0))
        program.add(.closeFrom(0))
        program.add(.signalMask(0))
        program.add(.execute(nil))
        var pipe = try Files.pipe()
        let reader = pipe.takeReader()
        // Nobody but the launch holds the pipe's end from here on, and the child has not made its own table yet.
        var launch = try ParkedLaunch(
            CompiledProgram(program), parkingAt: socket, filled: [(early, SharedFD(pipe.takeWriter()))])
        launch.identityMapped()
        try launch.confirmParked()
        var bytes = [UInt8](repeating: 0, count: 64)
        #expect(try Files.readAvailable(reader.raw, into: &bytes) == 14)
        // It is the child's alone by now, and closed by its exec.
        try launch.release(ProgramCall(path: "/bin/true", arguments: ["true"], environment: []), descriptors: [])
        #expect(try reap(&launch).status == .exited(0))
        #expect(try Files.readAvailable(reader.raw, into: &bytes) == 0)
    }

    @Test func `a parked child leaves when its parent lets go`() throws {
        let (program, socket) = parking()
        var launch = try ParkedLaunch(program, parkingAt: socket)
        try launch.confirmParked()
        let process = ProcessFD(adopting: launch.takePidfd())
        _ = consume launch
        #expect(try process.reapBlocking().status == .exited(127))
    }

    @Test func `letting go of a child that is still preparing ends it`() throws {
        var program = StepProgram()
        let socket = program.slot()
        program.add(.awaitGo)
        program.add(.execute(nil))
        // Were its memory freed under it, later rounds would write their own into what it reads.
        for _ in 0..<50 {
            var launch = try ParkedLaunch(CompiledProgram(program), parkingAt: socket)
            let process = ProcessFD(adopting: launch.takePidfd())
            _ = consume launch
            #expect(try process.reapBlocking().status == .exited(127))
        }
    }

    @Test func `an error before parking is told when it should have parked`() throws {
        let (program, socket) = parking(.changeDirectory("/no/such"))
        var launch = try ParkedLaunch(program, parkingAt: socket)
        var error: SpawnError?
        do throws(SpawnError) { try launch.confirmParked() } catch let caught { error = caught }
        #expect(error?.description == "change directory to /no/such: No such file or directory (ENOENT)")
        #expect(try reap(&launch).status == .exited(127))
    }

    @Test func `an error after parking is told when the socket hangs up`() throws {
        let (program, socket) = parking()
        var launch = try ParkedLaunch(program, parkingAt: socket)
        try launch.confirmParked()
        let null = try Files.open("/dev/null", 1)
        try launch.release(
            ProgramCall(path: "/no/such/program", arguments: ["x"], environment: []), descriptors: [null.raw])
        try Files.waitUntilReadable(launch.socket)
        #expect(launch.failure()?.description.hasPrefix("execute /no/such/program: No such file or directory") == true)
        #expect(try reap(&launch).status == .exited(127))
    }

    @Test func `a release with the wrong number of descriptors is refused by the child`() throws {
        let (program, socket) = parking()
        var launch = try ParkedLaunch(program, parkingAt: socket)
        try launch.confirmParked()
        try launch.release(ProgramCall(path: "/bin/true", arguments: ["true"], environment: []), descriptors: [])
        try Files.waitUntilReadable(launch.socket)
        #expect(launch.failure()?.step == "wait for the call")
        #expect(try reap(&launch).status == .exited(127))
    }

    @Test func `the copying baseline runs programs, too`() async throws {
        var options = Options()
        options.memory = .copied
        let echo = try Template("echo", arguments: ["copied"], options: options)
        #expect(try await echo.run().text == "copied\n")
        // It cannot say what failed: its memory is not ours.
        #expect(try await Template("/no/such", options: options).run().status == .exited(127))
    }
}
