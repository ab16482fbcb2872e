import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Sandboxes of one plan that write, each in a room of its own.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Rooms {
        let keeper: KeeperProcess
        let place: TemporaryDirectory
        var rooms: String { place.path("rooms") }

        init() throws {
            keeper = try KeeperProcess()
            place = try TemporaryDirectory("keepertest-rooms")
            for name in ["layer/etc", "layer/data", "layer/usr", "rooms"] { try Files.makeDirectories(place.path(name)) }
            for name in ["bin", "lib", "lib64", "sbin"] { symlink("usr/\(name)", place.path("layer/\(name)")) }
        }

        private func plan(_ change: (inout SandboxPlan) -> Void = { _ in }) -> SandboxPlan {
            .with {
                $0.root = .overlay(lower: [place.path("layer")], upper: .room(rooms))
                $0.mounts = [Mount(.bind("/usr"), at: "/usr", readOnly: true)]
                $0.temporaryBytes = nil
                change(&$0)
            }
        }

        /// Runs a command to its end; returns its output and its report.
        private func run(
            _ command: String, _ plan: SandboxPlan, name: String, room: String? = nil, files: RoomFiles = RoomFiles(),
            hostname: String? = nil
        ) throws -> (output: String, report: StartReport) {
            var call = ProgramCall.shell(command)
            call.hostname = hostname
            let started = try keeper.start(
                StartRequest(
                    template: try keeper.define(plan), sandbox: name, call: call, stdio: .pipes, room: room, files: files))
            let output = try started.text(1) + started.text(2)
            _ = try keeper.end(of: name)
            try keeper.demand(.acknowledge(sandbox: name))
            return (output, started.report)
        }

        private func present() throws -> [String] { try Files.list(rooms).filter { !$0.hasPrefix(".") }.sorted() }

        @Test func `a room has what was written and nothing else`() throws {
            let first = try run("echo one > /data/x; cat /data/x", plan(), name: "one")
            let second = try run("ls /data", plan(), name: "two")
            #expect(first.output == "one\n")
            #expect(second.output == "", "another sandbox of the plan sees nothing of the first")
            let room = try #require(first.report.room)
            #expect(try Files.list("\(rooms)/\(room)/upper") == ["data"])
            #expect(try Files.readText("\(rooms)/\(room)/upper/data/x") == "one")
            #expect(try Files.list("\(rooms)/\(#require(second.report.room))/upper") == [])
            #expect(try Files.list(place.path("layer/etc")) == [])
        }

        @Test func `a sandbox that is started again in its room finds what it wrote`() throws {
            let room = try #require(try run("echo kept > /data/x", plan(), name: "one").report.room)
            let again = try run("cat /data/x", plan(), name: "again", room: room)
            #expect(again.output == "kept\n")
            #expect(again.report.room == room)
            #expect(try present() == [room])
        }

        @Test func `a room is nobody else's while a program runs in it`() throws {
            let plan = plan()
            let started = try keeper.start("read line", in: plan, name: "holder")
            let room = try #require(started.report.room)
            let template = try keeper.define(plan)
            let request = StartRequest(
                template: template, sandbox: "other", call: .shell("true"), stdio: .pipes, room: room)
            #expect(try keeper.refusal(.start(request)).kind == .conflict)
            #expect(try keeper.list().first?.start.room == room)
            try keeper.demand(.signal(sandbox: "holder", number: SIGKILL, wholeTree: true))
            _ = try keeper.end(of: "holder")
            #expect(try run("echo in", plan, name: "other", room: room).output == "in\n")
        }

        @Test func `names that are no room's are refused`() throws {
            let template = try keeper.define(plan())
            for name in ["", ".", "..", "../x", ".base", "1-0", "zz-1", "1-1/.."] {
                let request = StartRequest(
                    template: template, sandbox: "t", call: .shell("true"), stdio: .pipes, room: name)
                #expect(try keeper.refusal(.start(request)).kind == .badRequest, "\(name)")
            }
            #expect(try present() == [])
        }

        @Test func `rooms that nobody used are removed`() throws {
            let template = try keeper.define(plan())
            try keeper.demand(.prepare(template: template, count: 3))
            for _ in 0..<2000 where try keeper.status().prepared < 3 { usleep(5000) }
            #expect(try present().count == 3)
            let used = try run("true", plan(), name: "used").report
            #expect(used.wasPrepared)
            let failing = StartRequest(
                template: template, sandbox: "failing", call: .program("/missing"), stdio: .pipes)
            #expect(try keeper.refusal(.start(failing)).code == ENOENT)
            keeper.stop()
            #expect(try present() == [used.room])
        }

        @Test func `contents of /etc files come with each start`() throws {
            let show = "cat /etc/hosts /etc/hostname /etc/resolv.conf; echo mine >> /etc/hosts"
            let first = try run(
                show, plan(), name: "one", files: RoomFiles(hosts: "h\n", hostname: "n\n", resolver: "r\n"))
            #expect(first.output == "h\nn\nr\n")
            let room = try #require(first.report.room)
            #expect(try Files.readText("\(rooms)/\(room)/hosts") == "h\nmine")
            let again = try run(show, plan(), name: "two", room: room, files: RoomFiles(hosts: "new\n"))
            #expect(again.output == "new\nn\nr\n")
        }

        @Test func `an image's links below /etc lead nowhere else`() throws {
            try place.write("untouched\n", to: "victim")
            symlink(place.path("victim"), place.path("layer/etc/hosts"))
            let request = StartRequest(
                template: try keeper.define(plan()), sandbox: "one", call: .shell("true"), stdio: .pipes,
                files: RoomFiles(hosts: "mine\n"))
            // Inside the root the link leads to nothing.
            #expect(try keeper.refusal(.start(request)).sentence.hasPrefix("open /etc/hosts"))
            #expect(try Files.readText(place.path("victim")) == "untouched")
        }

        @Test func `a read-only room shows its own files and cannot be written`() throws {
            let plan = plan { $0.root = .overlay(lower: [place.path("layer")], upper: .room(rooms, readOnly: true)) }
            let run = try run(
                "cat /etc/hosts; (echo x > /data/x) 2>&1", plan, name: "one", files: RoomFiles(hosts: "h\n"))
            #expect(run.output == "h\nsh: 1: cannot create /data/x: Read-only file system\n")
        }

        @Test func `a host name comes with each start, prepared or not`() throws {
            let plan = plan { $0.hostname = "template" }
            #expect(try run("uname -n", plan, name: "none").output == "template\n")
            try keeper.demand(.prepare(template: try keeper.define(plan), count: 2))
            for _ in 0..<2000 where try keeper.status().prepared < 2 { usleep(5000) }
            let named = try run("uname -n", plan, name: "named", hostname: "web-1")
            #expect(named.output == "web-1\n")
            #expect(named.report.wasPrepared)
        }

        @Test func `a given network is the program's, and so is that of what is executed in it`() throws {
            let plan = plan {
                $0.network = .given
                $0.showsSysfs = true
            }
            // Somebody else's network namespace: of a sandbox that runs, held by descriptor.
            let owner = try keeper.start("read line", in: .with { _ in }, name: "owner")
            let namespace = try Files.open("/proc/\(owner.report.pid)/ns/net", 0)
            let identity = try Files.link("/proc/\(owner.report.pid)/ns/net")
            let template = try keeper.define(plan)
            let request = StartRequest(
                template: template, sandbox: "guest", call: .shell("readlink /proc/self/ns/net; ls /sys/class/net"),
                stdio: .pipes)
            #expect(try keeper.refusal(.start(request)).kind == .badRequest, "without its descriptor")
            let started = try keeper.start(request, [namespace.raw])
            #expect(try started.text(1) + started.text(2) == "\(identity)\nlo\n")
            _ = try keeper.end(of: "guest")
            try keeper.demand(.signal(sandbox: "owner", number: SIGKILL, wholeTree: true))
            _ = try keeper.end(of: "owner")
        }

        @Test func `what is no network is refused and nothing is left`() throws {
            let template = try keeper.define(plan { $0.network = .given })
            let other = try Files.open("/dev/null", O_RDONLY)
            let request = StartRequest(template: template, sandbox: "guest", call: .shell("true"), stdio: .pipes)
            let failure = try keeper.refusal(.start(request), [other.raw])
            #expect(failure.sentence.hasPrefix("join the given network"), "\(failure)")
            // The answer comes first, the clearing up before the next one.
            _ = try keeper.status()
            #expect(try present() == [])
        }
    }
}
