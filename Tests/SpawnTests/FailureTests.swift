import Linux
import Spawn
import TestKit
import Testing

/// Every way in which a start can fail says what was tried, on what, why, and what to do.
@Suite struct FailureTests {
    /// The sentence of a start that must fail; nothing may be left of it.
    private func sentence(
        _ program: Program = "true", arguments: [String] = [], directory: String? = nil,
        _ change: (inout Options) -> Void = { _ in }
    ) throws -> String {
        var options = Options()
        change(&options)
        let error = #expect(throws: SpawnError.self) {
            _ = try Template(program, options: options).start(arguments: arguments, directory: directory)
        }
        return error?.description ?? ""
    }

    @Test func `a missing program`() throws {
        #expect(
            try sentence("/no/such/program") == """
                execute /no/such/program: No such file or directory (ENOENT). No such program, or its interpreter (the #! \
                line or the dynamic linker) is missing.
                """)
        #expect(
            try sentence("no-such-program") { $0.environment = .exactly(["PATH": "/bin::relative:/usr/bin"]) } == """
                find the program no-such-program: No such file or directory (ENOENT). No executable file of that name is \
                in the directories of PATH, which is "/bin::relative:/usr/bin".
                """)
    }

    @Test func `files that are no programs`() throws {
        let directory = try TemporaryDirectory("spawn")
        let text = try directory.write("just text", to: "text", mode: 0o644)
        #expect(
            try sentence(.path(text))
                == "execute \(text): Permission denied (EACCES). The file is not executable, or a directory on the way may not be searched."
        )
        #expect(try sentence(.path(directory.path)).hasPrefix("execute \(directory.path): Permission denied (EACCES)"))
        let rubbish = try directory.write("just text", to: "rubbish", mode: 0o755)
        #expect(
            try sentence(.path(rubbish)).hasPrefix(
                "execute \(rubbish): Exec format error (ENOEXEC). The file is no program of this machine"))
        let script = try directory.write("#!/no/such/interpreter\n", to: "script", mode: 0o755)
        #expect(
            try sentence(.path(script)).hasPrefix(
                "execute \(script): No such file or directory (ENOENT). No such program, or its interpreter"))
    }

    @Test func `a working directory that is not there or is none`() throws {
        #expect(
            try sentence(directory: "/no/such") == "change directory to /no/such: No such file or directory (ENOENT)")
        #expect(
            try sentence { $0.directory = "/etc/passwd" }
                == "change directory to /etc/passwd: Not a directory (ENOTDIR)")
    }

    @Test func `an id that the kernel would take for none`() throws {
        // setresuid(2): -1 leaves the identity as it is. That must not happen to somebody who computed it.
        #expect(try sentence { $0.user = Users.Identity(uid: .max, gid: 1) }.contains("4294967295 is no id"))
        #expect(try sentence { $0.user = Users.Identity(uid: 1, gid: .max) }.contains("4294967295 is no id"))
        #expect(
            try sentence { $0.user = Users.Identity(uid: 1, gid: 1, groups: [.max]) }.contains("4294967295 is no id"))
    }

    @Test func `a limit above what this machine allows`() throws {
        // fs.nr_open(5) bounds the limit on open files for everybody, root included.
        let most = UInt64(try Files.readText("/proc/sys/fs/nr_open"))!
        let text = try sentence { $0.limits = [ResourceLimit(.openFiles, soft: 10, hard: most + 1)] }
        #expect(text.hasPrefix("set the limit openFiles 10:\(most + 1): Operation not permitted (EPERM). Only root"))
    }

    @Test func `processors that are not there, a group that is not there`() throws {
        #expect(
            try sentence { $0.processors = [8000] }
                == "set the CPU affinity: Invalid argument (EINVAL). None of these processors is online and allowed here."
        )
        #expect(try sentence { $0.group = .joining(Int32.max) }.hasPrefix("join process group 2147483647: "))
    }

    @Test func `a cgroup that is none`() throws {
        let directory = SharedFD(try Files.open("/tmp", 0))
        #expect(
            try sentence { $0.cgroup = directory }
                == "start a process: Bad file descriptor (EBADF). The cgroup is not an open directory of a cgroup v2 file system."
        )
    }

    @Test func `arguments that are too long for the kernel`() throws {
        // execve(2): one string may have 128 KiB (MAX_ARG_STRLEN), its NUL included.
        let longest = String(repeating: "x", count: 128 << 10 - 1)
        #expect(
            try sentence(arguments: [String(repeating: "x", count: 128 << 10)]).hasPrefix(
                "execute /usr/bin/true: Argument list too long (E2BIG). Arguments and environment"))
        #expect(longest.utf8.count > 0)
        let running = try Template("true").start(arguments: [String(repeating: "x", count: (128 << 10) - 1)])
        #expect(try running.waitBlocking().status.isSuccess)
    }

    @Test func `what can be known to be wrong is said before anything is started`() throws {
        #expect(try sentence("").contains("Its path or name is empty"))
        #expect(try sentence("/bin/\0sh").contains("It holds a NUL byte"))
        #expect(
            try sentence(arguments: ["fine", "a\0b"])
                == "use the argument \"a\\0b\": Invalid argument (EINVAL). It holds a NUL byte, at which the kernel would cut it off."
        )
        #expect(try sentence(directory: "/\0").contains("use the directory"))
        #expect(try sentence { $0.argumentZero = "\0" }.contains("use the argv[0]"))
        #expect(try sentence { $0.environment = .exactly(["A=": "1"]) }.contains("neither \"=\" nor NUL"))
        #expect(try sentence { $0.environment = .updating(["": "1"]) }.contains("A name is not empty"))
        #expect(try sentence { $0.environment = .exactly(["A": "\0"]) }.contains("value of the environment variable A"))
        #expect(try sentence { $0.standardInput = .descriptor(-1) }.contains("A descriptor is not negative"))
        #expect(try sentence { $0.standardOutput = .standardOutput }.contains("Only standard error can join it"))
        let null = SharedFD(try Files.open("/dev/null", 0))
        #expect(try sentence { $0.descriptors = [-1: null] }.contains("map a descriptor to -1"))
        #expect(
            try sentence { $0.descriptors = [1: null] }.contains("standard streams, which have options of their own"))
        #expect(try sentence { $0.descriptors = [1024: null] }.contains("The highest number is 1023"))
        #expect(try sentence { $0.umask = 0o1000 }.contains("nine bits"))
        #expect(try sentence { $0.nice = 20 }.contains("from -20 to 19"))
        #expect(try sentence { $0.processors = [] }.contains("Name at least one"))
        #expect(try sentence { $0.scheduler = .roundRobin(priority: 0) }.contains("from 1 to 99"))
        #expect(
            try sentence { $0.limits = [ResourceLimit(.openFiles, soft: 2, hard: 1)] }.contains("above the hard one"))
        let twice = ResourceLimit(.coreBytes, soft: 0, hard: 0)
        #expect(try sentence { $0.limits = [twice, twice] }.contains("has a limit already"))
        #expect(try sentence { $0.blockedSignals = [65] }.contains("from 1 to 64"))
        #expect(try sentence { $0.deathSignal = 0 }.contains("from 1 to 64"))
        #expect(try sentence { $0.group = .joining(0) }.contains("positive number"))
        #expect(throws: SpawnError.self) { _ = try Template("true").start(output: .terminal) }
    }

    @Test func `after a failure in the child nothing is left of it`() async throws {
        let before = await Census.take(Census.Scope(only: [.descriptor]))
        for _ in 0..<100 {
            #expect(throws: SpawnError.self) {
                _ = try Template("/no/such/program").start(input: .pipe, output: .pipe, error: .pipe)
            }
        }
        #expect(await Census.settled(since: before) == [])
    }
}
