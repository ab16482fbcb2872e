import Engine
import JSON
import Keeper
import Lambda
import Linux
import Metering
import TestKit
import Testing

@testable import Functions

/// Instances that are forked from a zygote, in real sandboxes with AWS's own runtime client.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ZygoteTests {
    @Test func `an instance is forked from what was imported once`() async throws {
        try await withPython { python in
            let function = try python.function(
                "forked",
                """
                import os, random, time
                imported = time.time_ns()
                unseeded, seeded = random.Random(), random.Random(42)
                def handler(event, context):
                    return {"imported": imported, "log": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
                            "kind": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "cwd": os.getcwd(), "event": event,
                            "chance": [random.random(), unseeded.random(), seeded.random()]}
                """, start: .zygote)
            try await python.warm(function)
            var instances: [StagedInstance] = []
            var answers: [JSONValue] = []
            for number in 0..<3 {
                let staged = try await python.stage.ready(function, isProvisioned: number == 2)
                let answer = try await staged.invoke("\(number)")
                #expect(answer.functionError == nil, "\(answer.text)")
                #expect(answer.call.start == (number == 2 ? .provisioned : .zygote))
                #expect(try await staged.invoke("7").call.start == (number == 2 ? .provisioned : .warm))
                answers.append(try #require(answer.json))
                instances.append(staged)
            }
            #expect(Set(answers.compactMap { $0["imported"]?.description }).count == 1, "\(answers)")
            #expect(Set(answers.compactMap { $0["log"]?.string }).count == 3)
            #expect(answers.map { $0["event"] } == [0, 1, 2])
            #expect(answers.map { $0["kind"]?.string } == ["on-demand", "on-demand", "provisioned-concurrency"])
            // Chance is each instance's own, unless the function has seeded it.
            let chances = answers.map { $0["chance"]?.array?.map(\.description) ?? [] }
            #expect((0..<3).map { index in Set(chances.map { $0[index] }).count } == [3, 3, 1], "\(chances)")
            try await python.leave(instances)
        }
    }

    /// What a program can see of itself and of others, and what it can do.
    private static let report = """
        import ctypes, os, socket, stat
        libc = ctypes.CDLL(None, use_errno=True)
        def attempt(call):
            try:
                call()
                return "allowed"
            except OSError as error:
                return error.strerror
        def raw(name, *arguments):
            ctypes.set_errno(0)
            return "allowed" if getattr(libc, name)(*arguments) >= 0 else os.strerror(ctypes.get_errno())
        def handler(event, context):
            if event == "namespaces":
                return {name: os.readlink("/proc/self/ns/" + name) for name in os.listdir("/proc/self/ns")}
            status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
            mounts = sorted({line.split()[1] + " " + line.split()[3].split(",")[0] for line in open("/proc/mounts")})
            pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
            groups = sorted(line.strip() for line in open("/proc/self/cgroup"))
            open("/tmp/mine", "w").write("x")
            return {
                "status": {name: status[name] for name in
                    ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Umask"]},
                "mounts": [mount for mount in mounts if not mount.startswith("/dev/")], "tmp": os.listdir("/tmp"),
                "others": [p for p in pids if p not in (1, os.getpid())], "groups": groups,
                "first": [os.readlink("/proc/self/fd/0"), stat.S_ISFIFO(os.fstat(1).st_mode), stat.S_ISFIFO(os.fstat(2).st_mode)],
                "shared": [os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd")
                    if os.path.lexists("/proc/self/fd/" + fd) and "forkless" in os.readlink("/proc/self/fd/" + fd)],
                "session": os.getsid(0) == os.getpid(),
                "hostname": socket.gethostname(), "interfaces": [name for _, name in socket.if_nameindex()],
                "attempts": {
                    "write code": attempt(lambda: open("/var/task/app.py", "a")),
                    "write root": attempt(lambda: open("/file", "w")),
                    "setns": raw("setns", 0, 0x7E020000), "unshare user": raw("unshare", 0x10000000),
                    "unshare mounts": raw("unshare", 0x20000), "mount": raw("mount", b"none", b"/tmp", b"tmpfs", 0, None),
                    "chroot": raw("chroot", b"/tmp"), "hostname": raw("sethostname", b"x", 1),
                    "device": attempt(lambda: os.mknod("/tmp/d", stat.S_IFBLK | 0o600, os.makedev(8, 0))),
                    "mode of a device": attempt(lambda: os.chmod("/dev/null", 0o666)),
                    "mode of what is masked": attempt(lambda: os.chmod("/etc/shadow", 0o666)),
                    "raw socket": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
                    "priority": attempt(lambda: os.setpriority(0, 0, -5)),
                    "outside": attempt(lambda: socket.create_connection(("10.255.255.1", 80), 1)),
                }}
        """

    @Test func `an instance from a zygote is isolated as one that was started cold`() async throws {
        try await withPython { python in
            var instances: [StagedInstance] = []
            var reports: [JSONValue] = []
            var namespaces: [[String: JSONValue]] = []
            // Two from the zygote, one cold.
            try await python.warm(try python.function("isolated", Self.report, start: .zygote))
            for start in [FunctionSettings.Start.zygote, .zygote, .cold] {
                let staged = try await python.stage.ready(try python.function("isolated", Self.report, start: start))
                instances.append(staged)
                let answer = try await staged.invoke("\"all\"")
                #expect(answer.call.start == (start == .cold ? .cold : .zygote), "\(answer.text)")
                #expect(answer.functionError == nil, "\(answer.text)")
                reports.append(try #require(answer.json))
                let seen = try #require(try await staged.invoke("\"namespaces\"").json?.object)
                namespaces.append(Dictionary(uniqueKeysWithValues: seen.members.map { ($0.key, $0.value) }))
            }
            let cold = try #require(reports.last)
            for report in reports {
                for key in ["status", "mounts", "tmp", "others", "first", "shared", "session", "hostname", "interfaces", "attempts", "groups"] {
                    #expect(report[key] == cold[key], "\(key)")
                }
            }
            for member in try #require(cold["attempts"]?.object).members {
                #expect(member.value != "allowed", "\(member.key)")
            }
            // Every namespace is each instance's own, and neither the zygote's.
            let zygote = try #require(
                await python.zygotes.worker(of: instances[0].function)?.zygoteName)
            let pid = try #require(try await python.stage.link.list().first { $0.sandbox == zygote }?.start.pid)
            for name in ["mnt", "pid", "net", "ipc", "uts", "cgroup"] {
                let all = namespaces.compactMap { $0[name]?.string } + [try Files.link("/proc/\(pid)/ns/\(name)")]
                #expect(Set(all).count == 4, "\(name): \(all)")
            }
            try await python.leave(instances)
        }
    }

    @Test func `memory and the end are an instance's own`() async throws {
        try await withPython { python in
            let function = try python.function(
                "ending",
                """
                import os, signal, sys
                def handler(event, context):
                    if event == "exit": os._exit(7)
                    if event == "kill": os.kill(os.getpid(), signal.SIGSEGV)
                    if event == "eat":
                        held = bytearray(512 << 20)
                        for at in range(0, len(held), 4096): held[at] = 1
                    if event == "leave":
                        if os.fork() == 0:
                            os.setsid()
                            signal.pause()
                    return event
                """, start: .zygote, memoryMB: 256)
            try await python.warm(function)
            let calm = try await python.stage.ready(function)
            var others: [StagedInstance] = []
            func play(_ word: String) async throws -> InvocationAnswer {
                let staged = try await python.stage.ready(function)
                others.append(staged)
                return try await staged.invoke("\"\(word)\"")
            }
            let exited = try await play("exit")
            #expect(exited.json?["errorType"] == "Runtime.ExitError")
            #expect(exited.text.contains("exit status 7"), "\(exited.text)")
            #expect(try await play("kill").text.contains("segmentation fault"))
            let eaten = try await play("eat")
            #expect(eaten.json?["errorType"] == "Runtime.OutOfMemory", "\(eaten.text)")
            #expect(try await play("leave").text == "\"leave\"")
            for staged in others.dropLast() { try await staged.ended() }
            // Those beside them have not noticed.
            #expect(try await calm.invoke("\"calm\"").text == "\"calm\"")
            try await python.leave([calm] + others)
        }
    }

    @Test(arguments: [
        ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()", "2 threads run"),
        ("import socket\nheld = socket.socketpair()", "a socket is open"),
        ("held = open('/tmp/notes', 'w')", "/tmp/notes is open"),
        ("open('/tmp/notes', 'w').close()", "/tmp/notes was written"),
        ("import mmap\nheld = mmap.mmap(-1, 4096)", "memory is shared"),
        ("import subprocess\nheld = subprocess.Popen(['sleep', '100'])", "1 processes were left running"),
    ])
    func `what a fork cannot have is found, said, and started cold`(lines: String, reason: String) async throws {
        try await withPython { python in
            let function = try python.function(
                "unfit", lines + "\ndef handler(event, context): return event\n", start: .zygote)
            let staged = try await python.stage.ready(function)
            let answer = try await staged.invoke("1")
            #expect(answer.text == "1")
            #expect(answer.call.start == .cold)
            try await eventually("a word about \(reason)") {
                try python.stage.log("unfit").contains { $0.contains("cannot be forked") && $0.contains(reason) }
            }
            // For whoever asks it is said right after the log's line.
            try await eventually("a status about \(reason)") {
                python.zygotes.unfitReason(of: function)?.contains(reason) == true
            }
            let next = try await python.stage.ready(function)
            #expect(try await next.invoke("1").call.start == .cold)
            try await python.leave([next])
            try await python.leave([staged])
        }
    }

    @Test func `numpy and boto3 are forked, and numpy's chance is each instance's own`() async throws {
        try await withPython { python in
            let function = try python.function(
                "heavy",
                """
                import boto3, numpy
                queue = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
                own, fixed = numpy.random.default_rng(), numpy.random.default_rng(42)
                def handler(event, context):
                    return [queue.meta.region_name, own.random(), numpy.random.rand(), fixed.random()]
                """, start: .zygote)
            try await python.warm(function)
            var instances: [StagedInstance] = []
            var answers: [[String]] = []
            for _ in 0..<2 {
                let staged = try await python.stage.ready(function)
                let answer = try await staged.invoke("1")
                let log = try python.stage.log("heavy")
                #expect(answer.call.start == .zygote, "\(log)")
                answers.append(answer.json?.array?.map(\.description) ?? [answer.text])
                instances.append(staged)
            }
            let equal = zip(answers[0], answers[1]).map { $0 == $1 }
            #expect(equal == [true, false, false, true], "\(answers)")
            try await python.leave(instances)
        }
    }

    @Test func `hooks around a snapshot run on both sides of the fork`() async throws {
        try await withPython { python in
            let function = try python.function(
                "hooks",
                """
                import os
                from snapshot_restore_py import register_before_snapshot, register_after_restore
                told = []
                register_before_snapshot(lambda: told.append(["before", os.getpid()]))
                register_after_restore(lambda: told.append(["after", os.getpid()]))
                def handler(event, context): return [[word, pid == os.getpid()] for word, pid in told]
                """, start: .zygote)
            try await python.warm(function)
            let staged = try await python.stage.ready(function)
            #expect(try await staged.invoke("1").json == [["before", false], ["after", true]])
            try await python.leave([staged])
        }
    }

    @Test func `an instance may end before the child that went before it has gone`() async throws {
        try await withPython { python in
            let function = try python.function(
                "short",
                """
                import os, time
                leave = os._exit
                def leave_late(status):
                    time.sleep(2)
                    leave(status)
                os._exit = leave_late
                def handler(event, context): return event
                """, start: .zygote)
            try await python.warm(function)
            let zygote = try #require(await python.zygotes.worker(of: function)?.zygoteName)
            let staged = try await python.stage.ready(function)
            #expect(try await staged.invoke("1").call.start == .zygote)
            await staged.stop()
            try await staged.ended()
            let next = try await python.stage.ready(function)
            #expect(try await next.invoke("2").call.start == .zygote)
            #expect(await python.zygotes.worker(of: function)?.zygoteName == zygote)
            try await python.leave([next])
        }
    }

    /// A function with which the child that goes before does not tell the zygote of its fork.
    private static let untold = """
        import os, time
        os.register_at_fork(after_in_parent=lambda: time.sleep(600))
        def handler(event, context): return event
        """

    /// The child that goes before is in the place's cgroups, too, and is killed with it.
    @Test func `a fork of which the zygote was not told ends with its place`() async throws {
        try await withPython { python in
            let function = try python.function("untold", Self.untold, start: .zygote)
            try await python.warm(function)
            let staged = try await python.stage.ready(function)
            #expect(try await staged.invoke("1").call.start == .zygote)
            try await python.leave([staged])
        }
    }

    @Test func `a fork ends when the child that went before it was killed`() async throws {
        try await withPython { python in
            let function = try python.function("untold", Self.untold, start: .zygote)
            try await python.warm(function)
            let staged = try await python.stage.ready(function)
            #expect(try await staged.invoke("1").call.start == .zygote)
            let name = try #require(await python.zygotes.worker(of: function)?.zygoteName)
            let zygote = try #require(try await python.stage.link.list().first { $0.sandbox == name }?.start.pid)
            let children = try Files.list("/proc").compactMap(Int32.init).filter { pid in
                (try? Files.readText("/proc/\(pid)/status"))?.contains("PPid:\t\(zygote)\n") == true
            }
            #expect(!children.isEmpty)
            for child in children { try ProcessFD(pid: child).signal(Signal.kill) }
            try await staged.ended()
            #expect(await python.zygotes.worker(of: function)?.zygoteName == name)
            python.stage.launcher.forget(function)
        }
    }

    @Test func `a fork that does not come is not waited for`() async throws {
        try await withPython { python in
            let function = try python.function(
                "hanging",
                """
                import os, time
                os.register_at_fork(after_in_child=lambda: time.sleep(600))
                def handler(event, context): return event
                """, start: .zygote)
            try await python.warm(function)
            let staged = try await python.stage.ready(function)
            #expect(try await staged.invoke("1").call.start == .cold)
            let log = try python.stage.log("hanging")
            #expect(log.contains { $0.contains("A fork of the zygote failed: it was not ready after 5") }, "\(log)")
            try await python.leave([staged])
        }
    }

    @Test func `instances end with their zygote, and the next are started`() async throws {
        try await withPython { python in
            let function = try python.function("orphan", "def handler(event, context): return event\n", start: .zygote)
            try await python.warm(function)
            let staged = try await python.stage.ready(function)
            let zygote = try #require(await python.zygotes.worker(of: function)?.zygoteName)
            await python.stage.launcher.sandboxes.kill(zygote)
            try await staged.ended()
            let next = try await python.stage.ready(function)
            #expect(try await next.invoke("1").call.start == .cold)
            try await python.leave([next])
        }
    }

    @Test func `zygotes end with the launcher, and what they have ready`() async throws {
        try await withPython { python in
            let function = try python.function("closed", "def handler(event, context): return event\n", start: .zygote)
            // The launcher's own shelf.
            let runtimes = PythonRuntimes(directories: [python.python.runtimes], path: "", home: "/root")
            python.stage.launcher.use(PythonPlanning(python.stage.launcher, runtimes: runtimes), for: .python)
            try await python.warm(function, in: python.stage.launcher.zygotes)
            await python.stage.launcher.close()
            try await eventually("an empty keeper") { try await python.stage.link.list().isEmpty }
        }
    }

    @Test func `a change that does not matter to the imports keeps the zygote`() async throws {
        try await withPython { python in
            var function = try python.function("changed", "import time\nat = time.time_ns()\ndef handler(event, context): return at\n", start: .zygote)
            // Long enough for the change on a machine that stalls, and not too long to wait for the end.
            let zygotes = ZygoteShelf(python.stage.launcher, patience: .seconds(8))
            let runtimes = PythonRuntimes(directories: [python.python.runtimes], path: "", home: "/root")
            python.stage.launcher.use(PythonPlanning(python.stage.launcher, runtimes: runtimes, zygotes: zygotes), for: .python)
            try await python.warm(function, in: zygotes)
            let before = try await python.stage.ready(function)
            let first = try await before.invoke("1")
            python.stage.launcher.forget(function)
            function.revision = "2"
            function.timeoutSeconds += 1
            let after = try await python.stage.ready(function)
            #expect(try await after.invoke("1").text == first.text)
            try await python.leave([before, after])
            try await eventually(within: .seconds(60), "the zygote's end") {
                try await python.stage.link.list().isEmpty
            }
        }
    }

    @Test func `a runtime in C speaks the zygote's protocol`() async throws {
        try await withPython { python in
            let directory = python.stage.directory.path("code-table")
            try Files.makeDirectories(directory)
            let examples = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Examples/functions"
            let built = try await CommandRunner.run([
                "cc", "-O1", "-static", "-o", directory + "/bootstrap", examples + "/zygote.c",
            ])
            #expect(built.status.isSuccess, "\(built.errorText)")
            var function = DeployedFunction(
                name: "table", version: "$LATEST", arn: "arn:aws:lambda:us-east-1:000000000000:function:table", revision: "1",
                codeDigest: "digest", runtime: .bootstrap, codeDirectory: directory, memoryMB: 256, timeoutSeconds: 10)
            function.settings.start = .zygote
            try await python.warm(function)
            var instances: [StagedInstance] = []
            var answers: [JSONValue] = []
            for _ in 0..<2 {
                let staged = try await python.stage.ready(function)
                let answer = try await staged.invoke("1")
                #expect(answer.call.start == .zygote)
                answers.append(try #require(answer.json))
                instances.append(staged)
            }
            #expect(answers[0]["initialised"] == answers[1]["initialised"])
            #expect(answers[0]["own"] != answers[1]["own"])
            #expect(answers[0]["stream"] != answers[1]["stream"])
            try await python.leave(instances)
            // Without the tag it is an ordinary runtime.
            function.settings.start = .cold
            let cold = try await python.stage.ready(function)
            #expect(try await cold.invoke("1").call.start == .cold)
            try await python.leave([cold])
        }
    }
}
