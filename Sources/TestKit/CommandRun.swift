internal import Glibc
internal import Linux

/// One program that CommandRunner has started, with the pipes to it.
struct Run: ~Copyable {
    private let arguments: [String]
    private let input: [UInt8]
    private var written = 0
    private let pid: pid_t
    private let process: ProcessFD
    private var toProgram: SharedFD?
    private var output: SharedFD?
    private var errors: SharedFD?
    private var outcome = CommandRunner.Outcome(status: .exited(0), output: [], errors: [])

    init(_ arguments: [String], input: [UInt8], environment: [String]?) throws {
        var inputPipe = try Files.pipe()
        var outputPipe = try Files.pipe()
        var errorPipe = try Files.pipe()
        let programInput = inputPipe.takeReader()
        let programOutput = outputPipe.takeWriter()
        let programErrors = errorPipe.takeWriter()
        let started = try Self.spawn(
            arguments, environment, input: programInput.raw, output: programOutput.raw, errors: programErrors.raw)
        do {
            process = try ProcessFD(pid: started)
        } catch {
            kill(-started, SIGKILL)
            waitpid(started, nil, 0)
            throw error
        }
        pid = started
        self.arguments = arguments
        self.input = input
        let ends = (
            SharedFD(inputPipe.takeWriter()), SharedFD(outputPipe.takeReader()), SharedFD(errorPipe.takeReader())
        )
        // A full pipe must not hold up the reading of the other two. The program's own ends are other open
        // files and stay blocking.
        for fd in [ends.0.raw, ends.1.raw, ends.2.raw] { _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) }
        (toProgram, output, errors) = ends
        // A program that does not read its input must not kill this one. The thread ends with this run.
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, nil)
    }

    /// Feeds and reads the program until it has ended and its output is closed.
    mutating func finish(within limit: Duration) throws -> CommandRunner.Outcome {
        let deadline = ContinuousClock.now + limit
        if input.isEmpty { toProgram = nil }
        while true {
            let isOver = output == nil && errors == nil
            func wait(_ fd: CInt?, _ events: CInt) -> pollfd { pollfd(fd: fd ?? -1, events: Int16(events), revents: 0) }
            var waits = [
                wait(toProgram?.raw, POLLOUT), wait(output?.raw, POLLIN), wait(errors?.raw, POLLIN),
                wait(isOver ? process.fd.raw : nil, POLLIN),
            ]
            let left = deadline - ContinuousClock.now
            if left <= .zero { throw try timedOut(limit) }
            let milliseconds = min(left / .milliseconds(1) + 1, 60_000)
            guard poll(&waits, 4, CInt(milliseconds)) >= 0 else { continue }
            if waits[0].revents != 0 { feed() }
            if waits[1].revents != 0, Self.drain(output!.raw, into: &outcome.output) { output = nil }
            if waits[2].revents != 0, Self.drain(errors!.raw, into: &outcome.errors) { errors = nil }
            if waits[3].revents != 0 {
                outcome.status = try process.reapBlocking().status
                return outcome
            }
        }
    }

    private func timedOut(_ limit: Duration) throws -> CommandRunner.Failure {
        kill(-pid, SIGKILL)
        try process.signal(SIGKILL)
        _ = try process.reapBlocking()
        return CommandRunner.Failure(
            arguments: arguments,
            problem: "not over after \(limit), killed; so far it said \"\(outcome.text)\" and \"\(outcome.errorText)\"")
    }

    private mutating func feed() {
        let count = input.withUnsafeBytes { write(toProgram!.raw, $0.baseAddress! + written, $0.count - written) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        // EPIPE: the program has closed its input. What it made of the rest is in its status.
        written = count < 0 ? input.count : written + count
        if written == input.count { toProgram = nil }
    }

    /// Reads what is there; true at the end of the file.
    private static func drain(_ fd: CInt, into bytes: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(fd, &chunk, chunk.count)
            if count == 0 { return true }
            if count < 0 { return errno != EAGAIN && errno != EINTR }
            bytes += chunk[..<count]
        }
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String]?, input: CInt, output: CInt, errors: CInt
    ) throws -> pid_t {
        precondition(!arguments.isEmpty, "a program has a name")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that the deadline takes the program's children too; no signal blocked or ignored.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words = arguments.map { strdup($0) } + [nil]
        var variables = (environment ?? []).map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid = pid_t()
        let code =
            environment == nil
            ? posix_spawnp(&pid, arguments[0], &actions, &attributes, &words, environ)
            : posix_spawnp(&pid, arguments[0], &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemError("start", arguments[0], code: Errno(code)) }
        return pid
    }
}
