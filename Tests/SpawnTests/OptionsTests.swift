import Glibc
import Linux
import Spawn
import TestKit
import Testing

/// Every option, observed from inside a real child.
@Suite struct OptionsTests {
    /// Runs a shell script under options and returns what it wrote, without the last newline.
    private func shell(_ script: String, _ change: (inout Options) -> Void = { _ in }) async throws -> String {
        var options = Options()
        options.environment = .exactly(["PATH": "/usr/bin:/bin"])
        change(&options)
        let result = try await Template("/bin/sh", arguments: ["-c", script], options: options).run(
            error: .standardOutput)
        return result.text.hasSuffix("\n") ? String(result.text.dropLast()) : result.text
    }

    /// A field of /proc/self/status in a child.
    private func status(_ field: String, _ change: (inout Options) -> Void = { _ in }) async throws -> String {
        try await shell(
            "while read name value; do [ \"$name\" = \(field): ] && echo $value; done < /proc/$$/status", change)
    }

    @Test func `exactly the environment that was asked for`() async throws {
        let env = try Template(
            "/usr/bin/env", options: with { $0.environment = .exactly(["B": "2", "A": "1", "EMPTY": ""]) })
        #expect(try await env.run().text == "A=1\nB=2\nEMPTY=\n")
        #expect(try await env.run(environment: .exactly(["C": "x=y\nz"])).text == "C=x=y\nz\n")
        #expect(try await env.run(environment: .exactly([:])).text == "")
    }

    @Test func `an updated environment keeps the rest, and removes what is nil`() async throws {
        let env = try Template(
            "/usr/bin/env", options: with { $0.environment = .updating(["PATH": nil, "ADDED": "yes"]) })
        let variables = Set(try await env.run().text.split(separator: "\n"))
        #expect(variables.contains("ADDED=yes"))
        #expect(!variables.contains { $0.hasPrefix("PATH=") })
        let ours = ThisProcess.environment().split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            variables.isSuperset(of: ours.filter { !$0.hasPrefix("PATH=") && !$0.contains("\n") }.map { Substring($0) })
        )
    }

    @Test func `the working directory is the template's or the call's`() async throws {
        let pwd = try Template("/bin/pwd", arguments: ["-P"], options: with { $0.directory = "/usr" })
        #expect(try await pwd.run().text == "/usr\n")
        #expect(try await pwd.run(directory: "/etc").text == "/etc\n")
        #expect(
            try await Template("/bin/pwd", arguments: ["-P"]).run().text == (try Files.link("/proc/self/cwd")) + "\n")
    }

    @Test func `arguments are the template's, then the call's, and argv[0] is what was asked for`() async throws {
        let show = try Template(
            "/bin/sh", arguments: ["-c", "printf '<%s>' \"$0\" \"$@\"", "zero", "one"],
            options: with { $0.argumentZero = "-odd name" })
        #expect(
            try await show.run(arguments: ["", "two words", "ü\u{1F980}"]).text
                == "<zero><one><><two words><ü\u{1F980}>")
        let name = try Template(
            "/bin/sh", arguments: ["-c", "tr '\\0' '\\n' < /proc/$$/cmdline | head -1"],
            options: with { $0.argumentZero = "-odd" })
        #expect(try await name.run().text == "-odd\n")
    }

    @Test(.enabled(if: isRoot)) func `user, group and supplementary groups`() async throws {
        let change: (inout Options) -> Void = { $0.user = Users.Identity(uid: 4242, gid: 4243, groups: [7, 9]) }
        #expect(try await status("Uid", change) == "4242 4242 4242 4242")
        #expect(try await status("Gid", change) == "4243 4243 4243 4243")
        #expect(try await status("Groups", change) == "7 9")
        #expect(try await status("CapEff", change) == "0000000000000000")
    }

    @Test(.enabled(if: isRoot)) func `starting a program as another user leaves our dumpable flag alone`() async throws
    {
        // Other tests start programs as other users, too, and the flag is down during those starts.
        try await eventually("the flag is up") { ThisProcess.isDumpable }
        let id = try Template(
            "/usr/bin/id", arguments: ["-u"], options: with { $0.user = Users.Identity(uid: 65534, gid: 65534) })
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await id.run().text } }
            for try await text in group { #expect(text == "65534\n") }
        }
        try await eventually("the flag is up again") { ThisProcess.isDumpable }
    }

    @Test(.enabled(if: isRoot)) func `the directory is entered as the user`() async throws {
        let directory = try TemporaryDirectory("spawn")
        let error = await #expect(throws: SpawnError.self) {
            try await shell("pwd") {
                $0.user = Users.Identity(uid: 65534, gid: 65534)
                $0.directory = directory.path
            }
        }
        #expect(error?.description == "change directory to \(directory.path): Permission denied (EACCES)")
    }

    @Test func `the umask`() async throws {
        #expect(try await shell("umask") { $0.umask = 0o027 } == "0027")
    }

    @Test func `limits, soft and hard`() async throws {
        let text = try await shell("ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -St") {
            $0.limits = [
                ResourceLimit(.openFiles, soft: 64, hard: 128), ResourceLimit(.coreBytes, soft: 0, hard: 0),
                ResourceLimit(.cpuSeconds, soft: 77, hard: nil),
            ]
        }
        #expect(text == "64\n128\n0\n77")
    }

    @Test func `a limit on open files below the mapped descriptors holds for what comes after them`() async throws {
        let file = SharedFD(try Files.open("/etc/passwd", 0))
        let text = try await shell("head -c 4 <&9") {
            $0.descriptors = [9: file]
            $0.limits = [ResourceLimit(.openFiles, soft: 20, hard: 20)]
        }
        #expect(text == "root")
    }

    @Test func `the priority`() async throws {
        #expect(try await shell("nice") { $0.nice = 7 } == "7")
    }

    @Test func `the processors it may use`() async throws {
        #expect(try await status("Cpus_allowed_list") { $0.processors = [0] } == "0")
    }

    @Test func `the scheduler`() async throws {
        // Field 41 of proc_pid_stat(5) is the policy: 3 is SCHED_BATCH, 5 SCHED_IDLE.
        let policy = "set -- $(cat /proc/self/stat); shift 40; echo $1"
        #expect(try await shell(policy) { $0.scheduler = .batch } == "3")
        #expect(try await shell(policy) { $0.scheduler = .idle } == "5")
        #expect(try await shell(policy) == "0")
    }

    @Test func `a process group or a session of its own, or none`() async throws {
        // Fields 5 and 6 of proc_pid_stat(5) are the process group and the session.
        let script = "set -- $(cat /proc/$$/stat); echo $(($5 == $$)) $(($6 == $$))"
        #expect(try await shell(script) == "0 0")
        #expect(try await shell(script) { $0.group = .own } == "1 0")
        #expect(try await shell(script) { $0.group = .ownSession } == "1 1")
        let leader = try Template("sleep", arguments: ["60"], options: with { $0.group = .own }).start()
        #expect(
            try await shell("set -- $(cat /proc/$$/stat); echo $5") { $0.group = .joining(leader.pid) }
                == "\(leader.pid)")
        _ = try await leader.stop()
    }

    @Test func `no new privileges`() async throws {
        #expect(try await status("NoNewPrivs") == "0")
        #expect(try await status("NoNewPrivs") { $0.noNewPrivileges = true } == "1")
    }

    @Test func `blocked signals, and none by default`() async throws {
        #expect(try await status("SigBlk") == "0000000000000000")
        #expect(try await status("SigBlk") { $0.blockedSignals = [Signal.user1, 64] } == "8000000000000200")
    }

    @Test func `ignored signals are passed on as by exec, SIGPIPE never is`() async throws {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGUSR2, SIG_IGN)
        defer {
            signal(SIGPIPE, SIG_DFL)
            signal(SIGUSR2, SIG_DFL)
        }
        #expect(try await ignored(Signal.user2) { _ in })
        #expect(try await !ignored(Signal.user2) { $0.defaultSignals = [Signal.user2] })
        #expect(try await !ignored(Signal.pipe) { _ in })
    }

    private func ignored(_ number: Int32, _ change: (inout Options) -> Void) async throws -> Bool {
        UInt64(try await status("SigIgn", change), radix: 16)! >> UInt64(number - 1) & 1 == 1
    }

    @Test func `the death signal is set, and survives a change of user`() async throws {
        // prctl(2), PR_GET_PDEATHSIG is 2; the shell has no word for it, perl does.
        #if arch(x86_64)
            let prctl = 157
        #else
            let prctl = 167
        #endif
        let get = "my $s = pack('i', 0); syscall(\(prctl), 2, $s) == 0 or die; print unpack('i', $s)"
        var options = Options()
        options.deathSignal = Signal.terminate
        if isRoot { options.user = Users.Identity(uid: 65534, gid: 65534) }
        #expect(try await Template("/usr/bin/perl", arguments: ["-e", get], options: options).run().text == "15")
    }

    private func with(_ change: (inout Options) -> Void) -> Options {
        var options = Options()
        change(&options)
        return options
    }
}
