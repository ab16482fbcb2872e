import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Attacks that others had to learn of, by the number under which they were published, against a real keeper. Those
    /// on images, copies and networks are tested where these are; those that need a root of their own in `Roots`.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct KnownAttacks {
        let keeper: KeeperProcess
        let place: TemporaryDirectory

        init() throws {
            keeper = try KeeperProcess()
            place = try TemporaryDirectory("keepertest-attacks")
        }

        /// What the engine gives a container of an image.
        private var container: SandboxPlan {
            .with {
                $0.capabilities = .dockerDefault
                $0.systemCallFilter = try! SeccompProfile.standard(capabilities: .dockerDefault).compile().bytes
            }
        }

        @Test func `CVE-2022-29162, CVE-2022-27649: nothing that runs or is executed has inheritable capabilities`() throws {
            let command = "grep -E 'CapInh|CapAmb' /proc/self/status | cut -f2 | sort -u"
            let started = try keeper.start("\(command); read x", in: container, name: "caps")
            let null = SharedFD(try Files.open("/dev/null", O_RDWR))
            let pipe = try Files.pipe().ends()
            let request = ExecuteRequest(sandbox: "caps", name: "caps-x", call: .shell(command))
            guard case .started = try keeper.ask(.execute(request), [null.raw, pipe.writer.raw, null.raw]) else {
                throw TestFailure("not executed")
            }
            _ = try keeper.end(of: "caps-x")
            #expect(try Files.readSome(pipe.reader.raw, count: 100) == Array("0000000000000000\n".utf8))
            try Files.writeAll([10], to: started.ends[0].raw)
            #expect(try started.text(1) == "0000000000000000\n")
            _ = try keeper.end(of: "caps")
        }

        @Test func `CVE-2022-0492, CVE-2023-25809: no cgroup of the machine can be mounted or written to`() throws {
            let (output, _) = try keeper.shell(
                """
                mkdir /tmp/c
                mount -t cgroup -o memory none /tmp/c 2>/dev/null && echo mounted
                mount -t cgroup2 none /tmp/c 2>/dev/null && echo mounted
                unshare -UrC mount -t cgroup -o memory none /tmp/c 2>/dev/null && echo mounted in a user namespace
                for f in $(find / -xdev -name release_agent -o -xdev -name cgroup.procs 2>/dev/null); do
                  (echo $$ > $f) 2>/dev/null && echo wrote $f
                done
                grep -c cgroup /proc/mounts
                """, in: container)
            #expect(output == "0\n")
        }

        @Test func `CVE-2022-0185, CVE-2022-0847, CVE-2026-31431: the kernel's risky calls are not there`() throws {
            let (output, _) = try keeper.run(
                .program(
                    "/usr/bin/perl", "-e",
                    """
                    my %calls = (fsopen => [430, "tmpfs", 0], fsconfig => [431, 3, 0, 0, 0, 0], unshare => [272, 0x10000000],
                      userfaultfd => [323, 0], bpf => [321, 0, 0, 0], io_uring_setup => [425, 1, 0], keyctl => [250, 0, 0]);
                    for my $name (sort keys %calls) {
                      my ($number, @arguments) = @{$calls{$name}};
                      $! = 0; my $result = syscall($number, @arguments);
                      print "$name is possible\\n" if $result != -1;
                      print "$name: $!\\n" if $result == -1 && !$!{EPERM} && !$!{ENOSYS};
                    }
                    print "AF_ALG is possible\\n" if socket(my $s, 38, 5, 0);
                    print "sockets work\\n" if socket(my $t, 2, 1, 0);
                    """), in: container)
            #expect(output == "sockets work\n")
        }

        @Test(arguments: [65_535, 65_536, 65_537, 131_071])
        func `CVE-2021-43784: texts as long as a length field arrive whole`(length: Int) throws {
            let long = String(repeating: "x", count: length)
            let plan = SandboxPlan.with { $0.hostname = "whole" }
            let call = ProgramCall(
                path: "/bin/sh", arguments: StringBlock(["sh", "-c", "echo ${#1} ${#V} $2", "sh", long, "last"]),
                environment: StringBlock(["V=" + long.dropLast(2), "PATH=/usr/bin"]))
            #expect(try keeper.run(call, in: plan).output == "\(length) \(length - 2) last\n")
        }

        @Test func `CVE-2021-43784: a text of 16 MiB is refused whole`() throws {
            let call = ProgramCall(
                path: "/bin/true", arguments: StringBlock(["true", String(repeating: "x", count: 16 << 20)]), environment: [])
            #expect(throws: (any Error).self) { try keeper.run(call) }
            // Longer than any message may be: the sender was cut off, nothing was started, and the next one is served.
            try keeper.reconnect()
            #expect(try keeper.list().isEmpty)
        }

        @Test func `CVE-2025-52565: a terminal is the keeper's own, whatever the root has in its place`() throws {
            let root = place.path("root")
            let victim = place.path("victim")
            for name in ["proc", "dev", "tmp", "usr", "etc"] { try Files.makeDirectories("\(root)/\(name)") }
            for name in ["bin", "lib", "lib64", "sbin"] { symlink("usr/\(name)", "\(root)/\(name)") }
            try place.write("untouched\n", to: "victim/0")
            symlink(victim, "\(root)/dev/pts")
            symlink("\(victim)/0", "\(root)/dev/console")
            symlink("\(victim)/0", "\(root)/dev/tty")
            let plan = SandboxPlan.with {
                $0.root = .directory(root, readOnly: false)
                $0.mounts = [Mount(.bind("/usr"), at: "/usr", readOnly: true)]
            }
            let log = try Files.memory(named: "log")
            let started = try keeper.start(
                "stat -c %F $(tty); echo to the terminal > /dev/tty", in: plan, name: "terminal",
                streams: .terminal(Terminal.Size(rows: 24, columns: 80)), attached: true, [log.raw])
            _ = started
            #expect(try keeper.end(of: "terminal").status.isSuccess)
            #expect(try Files.readText("\(victim)/0") == "untouched")
            #expect(try Files.list(victim) == ["0"])
        }

        @Test func `CVE-2021-30465, CVE-2026-87766: a mount below a shared volume never lands outside`() throws {
            let victim = place.path("victim")
            try Files.makeDirectories(victim)
            for name in ["shared/dir/inner", "shared/other"] { try Files.makeDirectories(place.path(name)) }
            symlink(victim, place.path("shared/link"))
            // Swaps the directory and the link as fast as it can while sandboxes are mounted over both.
            let swapper = try Self.swap(place.path("shared/dir"), place.path("shared/link"))
            defer {
                kill(swapper, SIGKILL)
                _ = KeeperProcess.wait(for: swapper)
            }
            for _ in 0..<150 {
                let plan = SandboxPlan.with {
                    $0.mounts = [
                        Mount(.bind(place.path("shared")), at: "/tmp/shared"),
                        Mount(.temporary(bytes: 64 << 10), at: "/tmp/shared/dir/inner"),
                    ]
                    // Another plan each time: the mounts are made anew.
                    $0.hostname = "n\(Int.random(in: 0..<1_000_000_000))"
                }
                _ = try? keeper.shell("echo x > /tmp/shared/dir/inner/file; echo y > /tmp/shared/dir/made", in: plan)
                #expect(try Files.list(victim) == [])
            }
            #expect(kill(swapper, 0) == 0, "it went on to the end")
        }

        /// A process that exchanges two names until it is killed or we are gone.
        private static func swap(_ first: String, _ second: String) throws -> Int32 {
            var program = StepProgram()
            program.add(.unshareFiles(lowest: 3))
            program.add(.execute(nil))
            let call = ProgramCall.program(
                "/usr/bin/python3", "-c",
                """
                import ctypes, os, sys
                libc, parent = ctypes.CDLL(None), os.getppid()
                first, second = sys.argv[1].encode(), sys.argv[2].encode()
                while os.getppid() == parent:
                    for _ in range(1000): libc.renameat2(-100, first, -100, second, 2)
                """, first, second)
            return try CompiledProgram(program).start(call).pid
        }

        @Test func `CVE-2020-15257: no socket of the keeper's has an abstract name`() throws {
            let inodes = try Files.list("/proc/\(keeper.pid)/fd").compactMap { try? Files.link("/proc/\(keeper.pid)/fd/\($0)") }
                .filter { $0.hasPrefix("socket:[") }.map { $0.dropFirst(8).dropLast() }
            #expect(!inodes.isEmpty)
            let table = try Files.readText("/proc/net/unix").split(separator: "\n")
            for inode in inodes {
                for line in table where line.split(separator: " ").contains(inode) { #expect(!line.contains("@"), "\(line)") }
            }
        }

        @Test func `CVE-2020-5291, CVE-2026-41163: nothing that is built is set-user-id or has capabilities`() throws {
            let executable = try Files.link("/proc/\(keeper.pid)/exe")
            var status = stat()
            #expect(stat(executable, &status) == 0)
            #expect(status.st_mode & (S_ISUID | S_ISGID) == 0)
            let file = try Files.open(executable, O_RDONLY)
            #expect(try !ExtendedAttributes.names(of: file.raw, file: executable).contains("security.capability"))
        }
    }
}
