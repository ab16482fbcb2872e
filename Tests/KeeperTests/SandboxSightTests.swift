import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// What a program sees from inside a sandbox that a real keeper started.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Sight {
        let keeper: KeeperProcess
        init() throws { keeper = try KeeperProcess() }

        @Test func `a sandbox sees itself as the only process`() throws {
            // The shell looks itself: of two programs in a pipeline the first may look before the second is there.
            let (output, end) = try keeper.shell("echo $$; set -- /proc/[0-9]*; echo $# $1")
            #expect(output == "1\n1 /proc/1\n")
            #expect(end.status == .exited(0))
        }

        @Test func `a sandbox sees its own cgroup as the root`() throws {
            let (output, _) = try keeper.shell("grep -E ':(memory|pids|):|^0::' /proc/self/cgroup")
            let lines = output.split(separator: "\n")
            #expect(!lines.isEmpty)
            #expect(lines.allSatisfy { $0.hasSuffix(":/") }, "\(output)")
        }

        @Test func `namespaces differ from the machine's`() throws {
            let (output, _) = try keeper.shell(
                "for n in mnt pid net ipc uts cgroup user; do readlink /proc/self/ns/$n; done")
            let inside = output.split(separator: "\n").map(String.init)
            let outside = try ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"].map {
                try Files.link("/proc/self/ns/\($0)")
            }
            try #require(inside.count == outside.count)
            for (a, b) in zip(inside, outside) {
                #expect((a == b) == a.hasPrefix("user:"), "\(a) \(b)")
            }
        }

        @Test func `the host name is that of the plan and no other sandbox's`() throws {
            let (output, _) = try keeper.shell(
                "hostname; cat /proc/sys/kernel/hostname", in: .with { $0.hostname = "pricer-7" })
            #expect(output == "pricer-7\npricer-7\n")
            var name = [CChar](repeating: 0, count: 65)
            gethostname(&name, 64)
            #expect(!name.starts(with: "pricer-7".utf8.map { CChar($0) }))
        }

        @Test func `there is only a loopback interface and it works`() throws {
            let (output, end) = try keeper.shell(
                """
                ls /sys/class/net 2>/dev/null; sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' '
                perl -e 'use IO::Socket::INET;
                  $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die "listen: $!";
                  $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport) or die "connect: $!";
                  print $c "hello\\n"; $c->flush; $s = $l->accept; print scalar <$s>;'
                """)
            #expect(output == "lo\nhello\n")
            #expect(end.status == .exited(0))
        }

        @Test func `a host root shows the machine's programs and nothing else`() throws {
            let (output, _) = try keeper.shell(
                "ls /; for d in /root /home /var /srv /run /boot /mnt; do test -e $d && echo leaked $d; done; "
                    + "ls /usr/bin/env"
            )
            #expect(!output.contains("leaked"))
            #expect(output.contains("/usr/bin/env"))
            let allowed: Set = [
                "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sbin", "tmp", "usr",
            ]
            let shown = output.split(separator: "\n").map(String.init).filter { !$0.contains("/") }
            #expect(Set(shown).isSubset(of: allowed), "\(shown)")
        }

        @Test func `the machine's files cannot be changed`() throws {
            let (output, _) = try keeper.shell(
                """
                for f in /usr/x /etc/x /x /dev/x /opt/x /proc/sys/kernel/hostname; do (echo > $f) 2>&1; done
                mkdir /usr/local/x 2>&1; chmod 777 /etc/passwd 2>&1; rm /etc/passwd 2>&1
                """)
            let lines = output.split(separator: "\n")
            #expect(lines.count == 9, "\(output)")
            #expect(lines.allSatisfy { $0.contains("Read-only file system") }, "\(output)")
        }

        @Test func `the machine's secrets are hidden`() throws {
            let plan = SandboxPlan.with { $0.maskedPaths += KernelPaths.machineSecrets }
            let (output, _) = try keeper.shell(
                "cat /etc/shadow /etc/gshadow /etc/sudoers 2>/dev/null; ls -A /etc/ssh /etc/ssl/private 2>/dev/null",
                in: plan)
            #expect(output.filter { !$0.isWhitespace && !"/etcsslprivah:".contains($0) } == "", "\(output)")
        }

        @Test func `tmp is private, writable and bounded`() throws {
            let plan = SandboxPlan.with { $0.temporaryBytes = 1 << 20 }
            let (output, _) = try keeper.shell(
                """
                ls -A /tmp; stat -c %a /tmp; echo mine > /tmp/a; cat /tmp/a
                dd if=/dev/zero of=/tmp/big bs=64k count=32 2>&1 | grep -o 'No space left on device'
                stat -c %s /tmp/big
                """, in: plan)
            #expect(output == "1777\nmine\nNo space left on device\n\((1 << 20) - 4096)\n")
            #expect(try keeper.shell("ls -A /tmp", in: plan).output == "")
        }

        @Test func `dev has exactly the listed devices and everybody may use them`() throws {
            let plan = SandboxPlan.with { $0.identity = Users.Identity(uid: 1234, gid: 1234) }
            let (output, _) = try keeper.shell(
                """
                ls /dev; stat -c '%n %a %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
                echo x > /dev/null; head -c 4 /dev/zero | od -An -tx1; echo x > /dev/full
                head -c 8 /dev/urandom | wc -c; ls /dev/pts /dev/shm /dev/mqueue; (: > /dev/sda) 2>&1
                """, in: plan)
            for line in [
                "/dev/null 666 1:3", "/dev/zero 666 1:5", "/dev/full 666 1:7", "/dev/random 666 1:8",
                "/dev/urandom 666 1:9", "/dev/tty 666 5:0", " 00 00 00 00", "/dev/pts:\nptmx\n", "I/O error",
                "Read-only file system",
            ] { #expect(output.contains(line), "\(line) in \(output)") }
            #expect(!output.contains("Permission denied"))
            #expect(
                output.hasPrefix(
                    "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n"))
        }

        @Test func `kernel paths are masked and read-only`() throws {
            let (output, _) = try keeper.shell(
                """
                for p in \(KernelPaths.masked.filter { $0.hasPrefix("/proc") }.joined(separator: " ")); do
                  test -e $p || continue
                  if test -d $p; then ls -A $p; else wc -c < $p; fi
                done
                for p in \(KernelPaths.readOnly.joined(separator: " ")); do
                    test -e $p && ! grep -q " $p proc ro," /proc/self/mounts && echo $p can be written
                done
                (echo 1 > /proc/sys/vm/drop_caches) 2>&1
                """)
            let lines = output.split(separator: "\n")
            #expect(lines.dropLast().allSatisfy { $0 == "0" }, "\(output)")
            #expect(lines.last?.hasSuffix("Read-only file system") == true, "\(output)")
            #expect(lines.count > 2)
        }

        @Test func `no capabilities, no new privileges, and the filter is on`() throws {
            let plan = SandboxPlan.with { $0.systemCallFilter = try! SeccompProfile.standard.compile().bytes }
            let (output, _) = try keeper.shell(
                "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr '\\t' ' '", in: plan)
            let zero = "0000000000000000"
            #expect(
                output == """
                    CapInh: \(zero)
                    CapPrm: \(zero)
                    CapEff: \(zero)
                    CapBnd: \(zero)
                    CapAmb: \(zero)
                    NoNewPrivs: 1
                    Seccomp: 2

                    """)
        }

        @Test func `a user who is not root keeps the capabilities that the plan gives`() throws {
            let plan = SandboxPlan.with {
                $0.identity = Users.Identity(uid: 1000, gid: 1001, groups: [5, 2000])
                $0.capabilities = Capabilities(names: ["NET_BIND_SERVICE", "KILL"])!
            }
            let (output, _) = try keeper.shell(
                "id -u; id -g; id -G; grep ^Cap /proc/self/status | tr '\\t' ' '; "
                    + "perl -MIO::Socket::INET -e 'print "
                    + "IO::Socket::INET->new(Listen=>1,LocalPort=>80) ? \"bound\\n\" : \"no: $!\\n\"'",
                in: plan)
            let mask = String(plan.capabilities.rawValue, radix: 16)
            let padded = String(repeating: "0", count: 16 - mask.count) + mask
            #expect(
                output.split(separator: "\n").map(String.init) == [
                    "1000", "1001", "1001 5 2000", "CapInh: \(padded)", "CapPrm: \(padded)", "CapEff: \(padded)",
                    "CapBnd: \(padded)", "CapAmb: \(padded)", "bound",
                ])
        }

        @Test func `CVE-2023-25173, CVE-2022-2989: a user who is not root has no capabilities and no groups of the keeper's`() throws {
            let plan = SandboxPlan.with { $0.identity = Users.Identity(uid: 1000, gid: 1000) }
            let (output, _) = try keeper.shell(
                "id -u; id -G; grep -E 'CapEff|CapPrm|CapBnd|CapAmb' /proc/self/status | cut -f2 | sort -u", in: plan)
            #expect(output == "1000\n1000\n0000000000000000\n")
        }

        @Test func `root with capabilities has these and no others`() throws {
            let plan = SandboxPlan.with { $0.capabilities = .dockerDefault }
            let (output, _) = try keeper.shell(
                "grep -E 'CapEff|CapPrm|CapBnd' /proc/self/status | cut -f2 | sort -u; "
                    + "grep -E 'CapInh|CapAmb' /proc/self/status | cut -f2 | sort -u",
                in: plan)
            #expect(output == "00000000a80425fb\n0000000000000000\n")
        }

        @Test func `a program has only its three descriptors`() throws {
            // ls looks at its own, and has one more while it reads the directory: a shell has others while it makes a
            // pipe.
            let (output, _) = try keeper.run(.program("/bin/ls", "/proc/self/fd"))
            #expect(output == "0\n1\n2\n3\n", "the sandbox's own program")
            #expect(try keeper.shell("ls /proc/self/fd; true").output == output, "one that it starts")
        }

        @Test func `umask, limits and priority are those of the plan`() throws {
            let plan = SandboxPlan.with {
                $0.umask = 0o077
                $0.resourceLimits = [
                    ResourceLimit(.openFiles, soft: 77, hard: 99), ResourceLimit(.coreBytes, soft: 0, hard: 0),
                ]
                $0.niceValue = 7
            }
            #expect(
                try keeper.shell("umask; ulimit -Sn; ulimit -Hn; ulimit -c; nice", in: plan).output
                    == "0077\n77\n99\n0\n7\n")
        }

        @Test func `a program gets the environment as given and nothing else`() throws {
            var environment = StringBlock(["A=1", "EMPTY=", "NOEQUALS", "A=2"])
            environment.append([66, 61, 0xff, 0xfe][...])
            let template = try keeper.define(SandboxPlan())
            let started = try keeper.start(
                StartRequest(
                    template: template, sandbox: "env",
                    call: ProgramCall(
                        path: "/bin/cat", arguments: ["cat", "/proc/self/environ"], environment: environment),
                    stdio: .pipes))
            #expect(try Files.readAll(started.ends[1].raw) == environment.bytes)
        }

        @Test func `arguments that are not UTF-8 arrive as they are`() throws {
            var arguments: StringBlock = ["cat", "/proc/self/cmdline"]
            arguments.append([0xff, 0x80, 0x0a, 0xc3][...])
            arguments.append("")
            let started = try keeper.start(
                StartRequest(
                    template: try keeper.define(SandboxPlan()), sandbox: "bytes",
                    call: ProgramCall(path: "/bin/cat", arguments: arguments, environment: []), stdio: .pipes))
            #expect(try Files.readAll(started.ends[1].raw) == arguments.bytes)
        }

        @Test func `each call may name its working directory`() throws {
            let plan = SandboxPlan.with { $0.directory = "/usr" }
            #expect(try keeper.run(.shell("pwd"), in: plan).output == "/usr\n")
            #expect(try keeper.run(.shell("pwd", directory: "lib"), in: plan).output == "/usr/lib\n")
            #expect(try keeper.run(.shell("pwd", directory: "/tmp"), in: plan).output == "/tmp\n")
        }

        @Test func `a missing working directory is an error that names it`() throws {
            let failure = #expect(throws: KeeperFailure.self) {
                try keeper.run(.shell("pwd", directory: "/no/such/place"))
            }
            #expect(failure?.sentence == "change directory to /no/such/place: No such file or directory (ENOENT)")
            #expect(failure?.kind == .system)
        }

        @Test func `CVE-2024-21626: no working directory leads out of the root`() throws {
            for number in 0..<40 {
                guard
                    let (output, _) = try? keeper.run(
                        .shell("cd .; pwd -P; ls -d /work /root /var 2>/dev/null", directory: "/proc/self/fd/\(number)")
                    )
                else { continue }
                #expect(
                    output.hasPrefix("/") && !output.contains("unreachable") && !output.contains("root"),
                    "\(number): \(output)")
                let inner = try keeper.run(.shell("ls ../../../../../../..", directory: "/proc/self/fd/\(number)"))
                    .output
                #expect(!inner.contains("root\n"), "\(number): \(inner)")
            }
        }

        @Test func `CVE-2017-5226: typing into the starter's terminal is refused`() throws {
            let plan = SandboxPlan.with { $0.systemCallFilter = try! SeccompProfile.standard.compile().bytes }
            let (output, _) = try keeper.shell(
                "perl -e 'open T, \"/dev/ptmx\"; $c = \"x\"; print ioctl(T, 0x5412, $c) ? \"typed\" : \"refused: $!\"'",
                in: plan)
            #expect(output == "refused: Operation not permitted")
        }

        @Test func `a user namespace maps root to somebody harmless outside`() throws {
            let plan = SandboxPlan.with {
                $0.namespaces.insert(.user)
                $0.hostname = "inner"
            }
            let started = try keeper.start(
                "id -u; cat /proc/self/uid_map; echo $$; echo y > /tmp/y && cat /tmp/y; "
                    + "echo x > /dev/null; hostname; read x",
                in: plan, name: "user")
            let output = started.ends[1]
            var text = ""
            while !text.hasSuffix("inner\n") {
                text += String(decoding: try Files.readSome(output.raw, count: 100), as: UTF8.self)
                if text.isEmpty { break }
            }
            #expect(
                text.split(whereSeparator: \.isWhitespace) == ["0", "0", "100000", "65536", "1", "y", "inner"],
                "\(text)")
            var status = stat()
            #expect(stat("/proc/\(started.report.pid)", &status) == 0)
            let lines = try Files.readText("/proc/\(started.report.pid)/status")
            #expect(lines.contains("Uid:\t100000\t100000\t100000\t100000"), "\(lines)")
        }
    }
}
