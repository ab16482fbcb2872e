import Glibc
import Linux
import TestKit
import Testing

/// Proves that each detector of the census detects, so that its silence elsewhere means something.
@Suite(.serialized) struct CensusTests {
    @Test func `an open descriptor is reported until it is closed`() async throws {
        let before = await Census.take(Census.Scope(only: [.descriptor]))
        var leak: SharedFD? = SharedFD(try Files.open("/dev/null", O_RDONLY))
        let number = leak!.raw
        let report = await Census.settled(since: before, within: .milliseconds(20))
        #expect(report.contains { $0.hasPrefix("descriptor \(number) is open: /dev/null") })
        leak = nil
        let left = await Census.settled(since: before)
        #expect(left == [])
    }

    @Test func `a child is reported while it runs and until it is reaped`() async throws {
        let before = await Census.take(Census.Scope(only: [.process, .namespace]))
        let pid = try start(["sleep", "60"])
        func report() async -> [String] { await Census.settled(since: before, within: .milliseconds(20)) }
        try await eventually { await report().contains { $0.hasPrefix("process \(pid) (sleep)") } }
        kill(pid, SIGKILL)
        try await eventually { await report().contains { $0.contains("\(pid) (sleep)") && $0.contains("not reaped") } }
        waitpid(pid, nil, 0)
        #expect(await Census.settled(since: before) == [])
    }

    @Test func `a grandchild is reported`() async throws {
        let before = await Census.take(Census.Scope(only: [.process]))
        let pid = try start(["sh", "-c", "sleep 60 & wait"])
        var grandchild: Int32?
        try await eventually {
            let report = await Census.take(before.scope).difference(from: before)
            grandchild = report.first { $0.contains("(sleep), child of \(pid),") }
                .flatMap { Int32($0.split(separator: " ")[1]) }
            return grandchild != nil
        }
        kill(grandchild!, SIGKILL)
        waitpid(pid, nil, 0)
        #expect(await Census.settled(since: before) == [])
    }

    @Test(.enabled(if: isRoot)) func `a namespace held by a child is reported`() async throws {
        let before = await Census.take(Census.Scope(only: [.namespace]))
        let pid = try start(["unshare", "--net", "sleep", "60"])
        try await eventually {
            await Census.take(before.scope).difference(from: before).contains {
                $0.hasPrefix("namespace net:[") && $0.hasSuffix("is held by process \(pid)")
            }
        }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        #expect(await Census.settled(since: before) == [])
    }

    @Test(.enabled(if: isRoot)) func `a control group and those below it are reported`() async throws {
        let mounts = try Files.readText("/proc/self/mountinfo").split(separator: "\n")
        let line = try #require(
            mounts.first { $0.contains(" - cgroup") && $0.contains("pids") || $0.contains("cgroup2") })
        let group = "\(line.split(separator: " ")[4])/forkless-census-\(getpid())"
        var scope = Census.Scope(only: [.cgroup])
        scope.cgroupPrefix = "forkless-census"
        let before = await Census.take(scope)
        #expect(mkdir(group, 0o755) == 0)
        #expect(mkdir(group + "/below", 0o755) == 0)
        let report = await Census.take(scope).difference(from: before)
        #expect(report == ["control group \(group) exists", "control group \(group)/below exists"])
        rmdir(group + "/below")
        rmdir(group)
        #expect(await Census.settled(since: before) == [])
    }

    @Test(.enabled(if: isRoot)) func `a mount is reported`() async throws {
        let directory = try TemporaryDirectory("census mount")
        let before = await Census.take(Census.Scope(only: [.mount]))
        #expect(mount("none", directory.path, "tmpfs", 0, nil) == 0)
        let report = await Census.take(before.scope).difference(from: before)
        #expect(report.contains { $0.hasPrefix("something is mounted on \(directory.path): ") })
        umount2(directory.path, CInt(MNT_DETACH))
        #expect(await Census.settled(since: before) == [])
    }

    @Test func `packet filter rules are told apart by the chain they stand in`() {
        let listing = "table ip t {\n\tchain a {\n\t\taccept\n\t}\n\tchain b {\n\t\taccept\n\t}\n}\n"
        #expect(
            Census.rules(in: listing).map(\.sentence) == [
                "nftables still holds table ip t {", "nftables still holds table ip t: chain a {",
                "nftables still holds table ip t chain a: accept", "nftables still holds table ip t: chain b {",
                "nftables still holds table ip t chain b: accept",
            ])
    }

    @Test func `a file and what lies below a directory are reported`() async throws {
        let directory = try TemporaryDirectory("census")
        var scope = Census.Scope(only: [.file])
        scope.places = [Census.Place(directory: directory.path)]
        let before = await Census.take(scope)
        try directory.write("left", to: "a/b")
        let report = await Census.take(scope).difference(from: before)
        #expect(
            report
                == ["directory \(directory.path)/a exists", "regular \(directory.path)/a/b exists"])
        try Files.removeTree(directory.path("a"))
        #expect(await Census.settled(since: before) == [])
    }

    @Test func `the temporary directory of a test is gone with its last reference`() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory("gone")
        let path = directory!.path
        try directory!.write("x", to: "some/where")
        #expect(Files.exists(path + "/some/where"))
        directory = nil
        #expect(!Files.exists(path))
    }

    @Test func `what comes and goes while the census settles is not reported`() async throws {
        let directory = try TemporaryDirectory("census")
        var scope = Census.Scope(only: [.file])
        scope.places = [Census.Place(directory: directory.path)]
        let before = await Census.take(scope)
        try directory.write("", to: "first")
        async let report = Census.settled(since: before, within: .seconds(10))
        try Files.removeTree(directory.path("first"))
        #expect(await report == [])
    }

    @Test func `what the scope ignores is not counted`() async throws {
        var scope = Census.Scope(only: [.descriptor])
        scope.ignores = { $0.sentence.hasSuffix("/dev/zero") }
        let leak = try Files.open("/dev/zero", O_RDONLY)
        let items = await Census.take(scope).items
        #expect(!items.contains { $0.sentence.hasSuffix("/dev/zero") })
        leak.close()
    }

    /// Starts a program that outlives the call, as a leak would.
    private func start(_ arguments: [String]) throws -> pid_t {
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // The cooperative pool's threads block every signal, and a shell that never hears SIGCHLD waits for ever.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid = pid_t()
        let code = posix_spawnp(&pid, arguments[0], nil, &attributes, &words, environ)
        guard code == 0 else { throw SystemError("start", arguments[0], code: Errno(code)) }
        return pid
    }
}
