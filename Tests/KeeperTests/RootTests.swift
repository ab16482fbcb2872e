import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Root file systems and declared mounts, also hostile ones.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Roots {
        let keeper: KeeperProcess
        let place: TemporaryDirectory
        /// A small root: the shell and what it needs are bound from the machine.
        let root: String

        init() throws {
            keeper = try KeeperProcess()
            place = try TemporaryDirectory("keepertest-roots")
            root = place.path("root")
            for name in ["proc", "dev", "tmp", "usr", "etc", "data"] { try Files.makeDirectories("\(root)/\(name)") }
            for name in ["bin", "lib", "lib64", "sbin"] { symlink("usr/\(name)", "\(root)/\(name)") }
            try place.write("inside\n", to: "root/etc/mark")
        }

        private let machine = Mount(.bind("/usr"), at: "/usr", readOnly: true)

        private func plan(_ change: (inout SandboxPlan) -> Void = { _ in }) -> SandboxPlan {
            .with {
                $0.root = .directory(root, readOnly: false)
                $0.mounts = [machine]
                change(&$0)
            }
        }

        @Test func `a directory is the whole root and can be written`() throws {
            let (output, _) = try keeper.shell("cat /etc/mark; echo new > /data/new; ls /", in: plan())
            #expect(output == "inside\nbin\ndata\ndev\netc\nlib\nlib64\nproc\nsbin\ntmp\nusr\n")
            #expect(try Files.readText("\(root)/data/new") == "new")
        }

        @Test func `a read-only directory cannot be written`() throws {
            let plan = plan { $0.root = .directory(root, readOnly: true) }
            let (output, _) = try keeper.shell(
                "cat /etc/mark; (echo x > /data/x) 2>&1; echo t > /tmp/t; cat /tmp/t", in: plan)
            #expect(output == "inside\nsh: 1: cannot create /data/x: Read-only file system\nt\n")
            #expect(!Files.exists("\(root)/data/x"))
        }

        @Test func `a read-only root without a place for proc is an error that names it`() throws {
            try Files.removeTree("\(root)/proc")
            let failure = try keeper.refusal(.define(plan { $0.root = .directory(root, readOnly: true) }))
            #expect(failure.sentence.hasPrefix("make directory proc: Read-only file system (EROFS)"), "\(failure)")
        }

        @Test func `a read-only overlay shows its layers, the topmost first`() throws {
            try place.write("upper\n", to: "layer/etc/mark")
            try place.write("only\n", to: "layer/etc/only")
            let plan = plan { $0.root = .overlay(lower: [place.path("layer"), root], upper: .readOnly) }
            let (output, _) = try keeper.shell("cat /etc/mark /etc/only; (echo x > /data/x) 2>&1", in: plan)
            #expect(output == "upper\nonly\nsh: 1: cannot create /data/x: Read-only file system\n")
        }

        @Test func `a temporary overlay forgets what is written, for each start`() throws {
            let plan = plan { $0.root = .overlay(lower: [root], upper: .temporary(bytes: 1 << 20)) }
            let command =
                "ls /data; echo x > /data/x; rm /etc/mark; ls /data /etc; "
                    + "dd if=/dev/zero of=/data/big bs=64k count=32 2>&1 | grep -o 'No space.*'"
            for _ in 0..<2 {
                #expect(try keeper.shell(command, in: plan).output == "/data:\nx\n\n/etc:\nNo space left on device\n")
            }
            #expect(try Files.readText("\(root)/etc/mark") == "inside")
            #expect(try Files.list("\(root)/data") == [])
        }

        @Test func `an overlay on a directory keeps what is written there`() throws {
            for name in ["upper", "work"] { try Files.makeDirectories(place.path(name)) }
            let plan = plan {
                $0.root = .overlay(lower: [root], upper: .directory(place.path("upper"), work: place.path("work")))
            }
            _ = try keeper.shell("echo kept > /data/kept", in: plan)
            #expect(try keeper.shell("cat /data/kept", in: plan).output == "kept\n")
            #expect(try Files.readText(place.path("upper/data/kept")) == "kept")
            #expect(!Files.exists("\(root)/data/kept"))
        }

        @Test func `an overlay may have many layers with long names and colons`() throws {
            var lower: [String] = []
            for index in 0..<40 {
                let name = "layer:\(index)-" + String(repeating: "n", count: 100)
                try place.write("\(index)\n", to: "\(name)/etc/\(index)")
                lower.append(place.path(name))
            }
            let plan = plan { $0.root = .overlay(lower: lower + [root], upper: .temporary(bytes: 1 << 20)) }
            #expect(try keeper.shell("cat /etc/0 /etc/39 /etc/mark", in: plan).output == "0\n39\ninside\n")
        }

        @Test func `declared binds show files and directories, read-only or not`() throws {
            try place.write("file\n", to: "shared/file")
            try place.write("alone\n", to: "alone")
            let plan = plan {
                $0.mounts += [
                    Mount(.bind(place.path("shared")), at: "/data/rw"),
                    Mount(.bind(place.path("shared")), at: "/data/ro", readOnly: true),
                    Mount(.bind(place.path("alone")), at: "/data/one"),
                    Mount(.bind(place.path("alone")), at: "/data/deep/er/one", readOnly: true),
                ]
            }
            let (output, _) = try keeper.shell(
                """
                cat /data/rw/file /data/ro/file /data/one /data/deep/er/one
                echo more > /data/rw/more; echo changed > /data/one
                (echo x > /data/ro/x) 2>&1; (echo x > /data/deep/er/one) 2>&1
                """, in: plan)
            #expect(
                output == """
                    file
                    file
                    alone
                    alone
                    sh: 3: cannot create /data/ro/x: Read-only file system
                    sh: 3: cannot create /data/deep/er/one: Read-only file system

                    """)
            #expect(try Files.readText(place.path("shared/more")) == "more")
            #expect(try Files.readText(place.path("alone")) == "changed")
        }

        @Test func `devices and set-user-id programs of a bind have no effect`() throws {
            try Files.makeDirectories(place.path("shared"))
            #expect(mknod(place.path("shared/null"), S_IFCHR | 0o666, 1 << 8 | 3) == 0)
            let plan = plan { $0.mounts.append(Mount(.bind(place.path("shared")), at: "/data")) }
            let (output, _) = try keeper.shell(
                "(echo x > /data/null) 2>&1; grep ' /data ' /proc/self/mounts | grep -o nosuid,nodev", in: plan)
            #expect(output == "sh: 1: cannot create /data/null: Permission denied\nnosuid,nodev\n")
        }

        @Test func `a declared tmpfs is private, bounded and may be read-only`() throws {
            let plan = SandboxPlan.with {
                $0.mounts = [
                    Mount(.temporary(bytes: 128 << 10), at: "/scratch"),
                    Mount(.temporary(bytes: 4096), at: "/still", readOnly: true),
                ]
            }
            let (output, _) = try keeper.shell(
                """
                dd if=/dev/zero of=/scratch/f bs=4k count=64 2>/dev/null; stat -c %s /scratch/f
                (: > /still/x) 2>&1
                """, in: plan)
            #expect(output == "131072\nsh: 2: cannot create /still/x: Read-only file system\n")
        }

        @Test func `a bind of a missing source is an error that names both places`() throws {
            let failure = try keeper.refusal(.define(plan { $0.mounts.append(Mount(.bind("/no/such"), at: "/data")) }))
            #expect(
                failure.sentence
                    == "bind /no/such to /data: No such file or directory (ENOENT). "
                    + "The source must exist on this machine."
            )
        }

        @Test func `a root that is a symbolic link is refused with advice`() throws {
            symlink(root, place.path("link"))
            let failure = try keeper.refusal(.define(plan { $0.root = .directory(place.path("link"), readOnly: true) }))
            #expect(failure.sentence.contains("use as the root directory \(place.path("link"))"))
            #expect(failure.sentence.hasSuffix("not a symbolic link; name what the link points to."))
        }

        @Test(arguments: ["proc", "dev", "tmp"])
        func `CVE-2026-41579, CVE-2026-47766, CVE-2019-19921, CVE-2023-27561: a kernel directory that is a link is refused`(
            name: String
        ) throws {
            let victim = place.path("victim")
            try Files.makeDirectories(victim)
            try Files.makeDirectories("\(root)\(victim)")
            try Files.removeTree("\(root)/\(name)")
            symlink(victim, "\(root)/\(name)")
            #expect(throws: (any Error).self) { try keeper.shell("true", in: plan()) }
            #expect(try Files.list(victim) == [])
            #expect(((try? Files.list("\(root)\(victim)")) ?? []) == [])
        }

        @Test func `CVE-2025-31133: a mask is not made of the container's null device`() throws {
            symlink("/proc/sys/kernel/core_pattern", "\(root)/dev/null")
            let pattern = try Files.readText("/proc/sys/kernel/core_pattern")
            let (output, _) = try keeper.shell(
                "stat -c '%F %t:%T' /dev/null; echo '|/data/evil' > /dev/null; wc -c < /proc/interrupts", in: plan())
            #expect(output == "character special file 1:3\n0\n")
            #expect(try Files.readText("/proc/sys/kernel/core_pattern") == pattern)
        }

        @Test func `CVE-2024-45310, CVE-2025-24965: a mount target through a symbolic link stays inside the root`() throws {
            let victim = place.path("victim")
            try Files.makeDirectories(victim)
            try place.write("bound\n", to: "source/file")
            symlink(victim, "\(root)/data/out")
            symlink("../../../../../../../..\(victim)", "\(root)/data/up")
            for target in ["/data/out", "/data/out/new", "/data/up/new", "/data/out/../new"] {
                let plan = plan { $0.mounts.append(Mount(.bind(place.path("source")), at: target)) }
                _ = try? keeper.shell("true", in: plan)
                #expect(try Files.list(victim) == [], "\(target)")
            }
            // Where the link leads to inside the root is where the mount goes.
            try Files.makeDirectories("\(root)\(victim)")
            let plan = plan {
                $0.mounts.append(Mount(.bind(place.path("source")), at: "/data/out"))
                $0.temporaryBytes = nil
            }
            #expect(try keeper.shell("cat \(victim)/file", in: plan).output == "bound\n")
            #expect(try Files.list(victim) == [])
        }

        @Test func `a mount target with dots cannot leave the root`() throws {
            let outside = place.path("escaped")
            let plan = plan { $0.mounts.append(Mount(.temporary(bytes: 4096), at: "/../../../../../..\(outside)")) }
            _ = try? keeper.shell("true", in: plan)
            #expect(!Files.exists(outside))
            #expect(Files.exists("\(root)\(outside)"))
        }

        @Test(arguments: ["", "data", "/", "/.", "/data/..", "//"])
        func `a target that names no place below the root is refused`(target: String) throws {
            let failure = try keeper.refusal(
                .define(plan { $0.mounts.append(Mount(.temporary(bytes: 4096), at: target)) }))
            #expect(failure.kind == .badRequest)
            #expect(failure.sentence.contains("\"\(target)\""))
        }

        @Test func `links in the root are followed inside it when a program starts`() throws {
            symlink("/etc/mark", "\(root)/data/absolute")
            symlink("/root", "\(root)/data/home")
            let (output, _) = try keeper.shell("cat /data/absolute; ls /data/home/ 2>&1", in: plan())
            #expect(output.hasPrefix("inside\n"))
            #expect(output.contains("No such file"))
        }

        @Test func `a user namespace has a directory as root, too`() throws {
            chmod(place.path, 0o755)
            let plan = plan { $0.namespaces.insert(.user) }
            let (output, _) = try keeper.shell(
                "cat /etc/mark; (echo x > /data/x) 2>&1; echo t > /tmp/t && cat /tmp/t", in: plan)
            #expect(output == "inside\nsh: 1: cannot create /data/x: Permission denied\nt\n")
        }

        @Test func `a user namespace whose map cannot be written leaves nothing behind`() throws {
            for map in [IdentityMap(count: 0), IdentityMap(firstUserOutside: .max, count: 2)] {
                let plan = SandboxPlan.with {
                    $0.namespaces.insert(.user)
                    $0.identityMap = map
                }
                #expect(try keeper.refusal(.define(plan)).kind == .badRequest)
            }
        }
    }
}
