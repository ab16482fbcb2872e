import Glibc
import KubeObjects
import Linux
import Synchronization
import TestKit

@testable import KubeServing

/// Pods whose containers are programs of this machine, and whose ports are those of the loopback interface.
final class FakePods: PodAccess {
    let logs = FakeEvents()
    /// What attach joins.
    let attached: [String]
    private let sessions = Mutex<[LocalProgram]>([])

    init(attached: [String] = ["sh", "-c", "echo ready; while read line; do echo got $line; done"]) {
        self.attached = attached
    }

    var programs: [LocalProgram] { sessions.withLock { $0 } }

    func log(_ target: PodTarget, _ options: PodLogOptions) async throws(APIFailure) -> any APIParts {
        guard options.follow else {
            throw .badRequest("container \"main\" in pod \"web\" is waiting to start: ContainerCreating")
        }
        return logs
    }

    func execute(
        _ target: PodTarget, _ options: PodStreamOptions, command: [String]
    ) async throws(APIFailure) -> any PodSession {
        if command.first == "missing" { throw .internalError("exec: \"missing\": executable file not found in $PATH") }
        return try start(command, options)
    }

    func attach(_ target: PodTarget, _ options: PodStreamOptions) async throws(APIFailure) -> any PodSession {
        try start(attached, options)
    }

    private func start(_ command: [String], _ options: PodStreamOptions) throws(APIFailure) -> LocalProgram {
        do {
            let program = try LocalProgram(command, options)
            sessions.withLock { $0.append(program) }
            return program
        } catch { throw .internalError("\(error)") }
    }

    func connect(_ target: PodTarget, port: UInt16) async throws(APIFailure) -> SharedFD {
        do {
            let socket = SharedFD(
                try InternetSocket.connect(.stream, to: InternetEndpoint(IPAddress("127.0.0.1")!, port)))
            try Files.setNonBlocking(socket.raw)
            // Refused here: of who reads and who writes only the first is told, and the other sees an ordinary end.
            try await Readiness.shared.writable(socket.raw)
            _ = try InternetSocket.peer(socket.raw)
            return socket
        } catch { throw .internalError("\(error)") }
    }
}

/// A program with pipes, or a terminal.
final class LocalProgram: PodSession {
    private let pid: pid_t
    private let process: SharedFD
    private let held: Mutex<SharedFD?>
    let output: SharedFD?
    let errors: SharedFD?
    private let isTerminal: Bool
    private let abandoned = Mutex(false)
    private let record = Mutex<ExitRecord?>(nil)

    init(_ command: [String], _ options: PodStreamOptions) throws {
        isTerminal = options.tty
        if options.tty {
            var pair = try Terminal.open()
            let master = SharedFD(pair.takeMaster())
            let program = pair.takeProgram()
            try Files.setNonBlocking(master.raw)
            // The terminal becomes the program's own.
            pid = try Self.spawn(["setsid", "-c", "-w"] + command, program.raw, program.raw, program.raw)
            held = Mutex(master)
            output = master
            errors = nil
        } else {
            var input = try Files.pipe()
            var output = try Files.pipe()
            var errors = try Files.pipe()
            let (programInput, programOutput, programErrors) = (
                SharedFD(input.takeReader()), SharedFD(output.takeWriter()), SharedFD(errors.takeWriter())
            )
            pid = try Self.spawn(command, programInput.raw, programOutput.raw, programErrors.raw)
            let own = (SharedFD(input.takeWriter()), SharedFD(output.takeReader()), SharedFD(errors.takeReader()))
            for fd in [own.0.raw, own.1.raw, own.2.raw] { try Files.setNonBlocking(fd) }
            held = Mutex(options.stdin ? own.0 : nil)
            self.output = own.1
            self.errors = own.2
        }
        process = try ProcessFD(pid: pid).shared()
    }

    deinit {
        kill(-pid, SIGKILL)
        if record.withLock({ $0 }) == nil { waitpid(pid, nil, 0) }
    }

    var input: SharedFD? { held.withLock { $0 } }
    var isAbandoned: Bool { abandoned.withLock { $0 } }
    var isThere: Bool { record.withLock { $0 } == nil }

    func resize(columns: UInt16, rows: UInt16) async {
        try? Terminal.setSize(.init(rows: rows, columns: columns), of: output!.raw)
    }

    func closeInput() {
        if isTerminal { _ = try? Files.writeAvailable([4], to: output!.raw) } else { held.withLock { $0 = nil } }
    }

    func end() async throws(APIFailure) -> Int32 {
        do throws(SystemError) {
            try await Readiness.shared.readable(process.raw)
            guard let ended = try ProcessFD.reapIfEnded(process.raw) else { return -1 }
            record.withLock { $0 = ended }
            return ended.status.shellStatus
        } catch { throw .internalError("\(error)") }
    }

    func abandon() {
        abandoned.withLock { $0 = true }
        kill(-pid, SIGHUP)
    }

    private static func spawn(_ command: [String], _ input: CInt, _ output: CInt, _ errors: CInt) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, fd) in [(0, input), (1, output), (2, errors)] as [(CInt, CInt)] {
            posix_spawn_file_actions_adddup2(&actions, fd, number)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var words = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, command[0], &actions, &attributes, &words, environ)
        guard code == 0 else { throw SystemError("start", command[0], code: Errno(code)) }
        return pid
    }
}
