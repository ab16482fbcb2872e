internal import Glibc
internal import Linux

/// A server of the machine's, started by a test and ended with it: in a process group of its own, its words in a file.
package final class BackgroundServer: Sendable {
    package let log: String
    private let pid: Int32
    private let process: ProcessFD

    /// The server did not come up, or would not end.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Starts `arguments` (the first is looked up in PATH) for the length of `body`.
    ///
    /// - Parameter log: a file for what it writes.
    package static func running<Value>(
        _ arguments: [String], log: String, environment: [String: String] = [:],
        isolation: isolated (any Actor)? = #isolation, _ body: (BackgroundServer) async throws -> Value
    ) async throws -> Value {
        let server = try BackgroundServer(arguments, log, environment)
        let result: Result<Value, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        try await server.end()
        return try result.get()
    }

    private init(_ arguments: [String], _ log: String, _ environment: [String: String]) throws {
        self.log = log
        let output = try Files.open(log, O_WRONLY | O_CREAT | O_TRUNC)
        let null = try Files.open("/dev/null", O_RDONLY)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, null.raw, 0)
        for number: CInt in 1...2 { posix_spawn_file_actions_adddup2(&actions, output.raw, number) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let own = OwnProcess.environment().filter { line in
            !environment.keys.contains { line.hasPrefix("\($0)=") }
        }
        var words = arguments.map { strdup($0) } + [nil]
        var variables = (own + environment.map { "\($0)=\($1)" }).map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var started = pid_t()
        let code = posix_spawnp(&started, arguments[0], &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemError("start", arguments[0], code: Errno(code)) }
        pid = started
        process = try ProcessFD(pid: started)
    }

    /// What it has written so far.
    package func said() throws -> String { try Files.readText(log) }

    /// Waits until `find` sees in the log what says that it serves.
    package func until<Found>(
        _ what: String, within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
        _ find: (String) async throws -> Found?
    ) async throws -> Found {
        try await eventuallySome(within: limit, what) {
            if try hasEnded() { throw Failure(description: "\(what): it has ended: \(try said())") }
            return try await find(try said())
        }
    }

    /// Waits until the socket at `path` takes connections: its file is there a moment before that, between bind and
    /// listen.
    package func untilListening(at path: String, isolation: isolated (any Actor)? = #isolation) async throws {
        _ = try await until("a server at \(path)") { _ -> Bool? in
            do throws(SystemError) {
                _ = try StreamSocket.connect(to: path)
                return true
            } catch {
                guard error.code == .noEntry || error.code == .connectionRefused else { throw error }
                return nil
            }
        }
    }

    private func hasEnded() throws -> Bool {
        try Descriptors.isReadable(process.fd.raw, withinMilliseconds: 0)
    }

    /// Asks it to end and takes its status; one that does not is killed with what it started.
    private func end() async throws {
        try? process.signal(SIGTERM)
        do { try await eventually(within: .seconds(30), "the server's end") { try hasEnded() } } catch {
            kill(-pid, SIGKILL)
            _ = try process.reapBlocking()
            throw Failure(description: "a server did not end: \(try said().suffix(2000))")
        }
        _ = try process.reapBlocking()
    }
}
