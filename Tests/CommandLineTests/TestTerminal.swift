import Glibc
import Linux
import TestKit

/// A program on a terminal of its own, as somebody at a keyboard has it: `setsid --ctty` makes it the controlling one.
final class TestTerminal: Sendable {
    private let master: SharedFD
    private let pid: Int32

    /// Starts a program with its streams on the terminal, in a session whose terminal it is.
    init(_ arguments: [String], environment: [String], size: Terminal.Size) throws {
        var pair = try Terminal.open()
        let master = pair.takeMaster()
        let program = pair.takeProgram()
        try Terminal.setSize(size, of: master.raw)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number: CInt in 0...2 { posix_spawn_file_actions_adddup2(&actions, program.raw, number) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = (["setsid", "--ctty", "--wait"] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, "setsid", &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemError("start", "setsid", code: Errno(code)) }
        self.pid = pid
        self.master = SharedFD(master)
        try Files.setNonBlocking(self.master.raw)
    }

    /// A child that nobody waits for would hold up every test that waits for one of its own in another way.
    deinit {
        guard waitpid(pid, nil, WNOHANG) == 0 else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    func type(_ text: String) throws { try Files.writeAll(Array(text.utf8), to: master.raw) }

    func resize(_ size: Terminal.Size) throws { try Terminal.setSize(size, of: master.raw) }

    /// The text did not come; this did.
    struct Missing: Error, CustomStringConvertible {
        var text: String
        var seen: String
        var description: String { "\"\(text)\" did not come to the terminal, but this: \"\(seen)\"" }
    }

    /// Reads until the text has come; returns everything read.
    @discardableResult
    func read(until text: String, within time: Duration = .seconds(30)) async throws -> String {
        var seen: [UInt8] = []
        do {
            try await eventually(within: time, "\"\(text)\" on the terminal") {
                seen += try readNow()
                return String(decoding: seen, as: UTF8.self).contains(text)
            }
        } catch { throw Missing(text: text, seen: String(decoding: seen, as: UTF8.self)) }
        return String(decoding: seen, as: UTF8.self)
    }

    private func readNow() throws(SystemError) -> [UInt8] {
        do { return try Files.readSome(master.raw, count: 4096) } catch {
            // EIO: nobody has the other end any more.
            guard error.code == .again || error.code == .inputOutput else { throw error }
            return []
        }
    }

    /// Presses Ctrl-C until the text comes: a key is lost on a shell that is about to hand its terminal to a program.
    func interrupt(until text: String) async throws {
        for _ in 0..<10 {
            try type("\u{3}")
            if (try? await read(until: text, within: .seconds(3))) != nil { return }
        }
        try await read(until: text)
    }

    /// Waits for the end; what is still written goes unread.
    func end() async throws -> ExitStatus {
        let process = try ProcessFD(pid: pid)
        return try await eventuallySome(within: .seconds(30), "the program's end") {
            _ = try? Files.readSome(master.raw, count: 4096)
            return try process.reapIfEnded()?.status
        }
    }
}
