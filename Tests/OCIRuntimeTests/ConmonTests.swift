import JSON
import Linux
import TestKit
import Testing

/// What CRI-O does with Debian's conmon, call by call; CRI-O itself is not in Debian.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(2))) struct ConmonTests {
    @Test func `conmon creates, logs, executes in and ends a container as CRI-O has it do`() async throws {
        let stage = try RuntimeStage()
        let place = stage.directory
        for name in ["exits", "persist", "sockets"] { try Files.makeDirectories(place.path(name)) }
        try stage.configure([
            // The trap first: when the lines are there, so is it.
            "sh", "-c", "trap 'exit 9' TERM; echo logged; echo bad >&2; while :; do busybox usleep 20000; done",
        ])
        let process: JSONValue = [
            "args": ["sh", "-c", "echo inside; exit 5"], "cwd": "/", "env": ["PATH=/bin"],
            "user": ["uid": 0, "gid": 0],
        ]
        try place.write(process.description, to: "process.json")
        let id = stage.id()
        func conmon(_ words: String, says file: String) async throws {
            let common = """
                -c \(id) -n name -r \(stage.executable) --log-level info --socket-dir-path \(place.path("sockets")) \
                --runtime-arg --root=\(stage.state)
                """
            let outcome = try await CommandRunner.run([
                "sh", "-c",
                "_OCI_SYNCPIPE=3 _OCI_STARTPIPE=4 conmon \(common) \(words) 3>\(place.path(file)) 4</dev/null </dev/null >/dev/null 2>&1",
            ])
            #expect(outcome.status.isSuccess, "\(words)")
        }
        try await conmon(
            """
            -b \(stage.bundle) --exit-dir \(place.path("exits")) -l k8s-file:\(place.path("ctr.log")) -P \(place.path("conmon.pid")) \
            -p \(place.path("pid")) --persist-dir \(place.path("persist")) -u one
            """, says: "created")
        try await eventually("conmon says the process's number") {
            try Files.readText(place.path("created")).contains("}")
        }
        let pid = try JSONParser.parse(try Files.readText(place.path("created")))["pid"]?.integer
        #expect(try await stage.pid(id) == Int32(pid ?? 0))
        #expect(try Files.readText(place.path("pid")) == "\(pid ?? 0)")
        #expect(try await stage.status(id) == "created")
        try await stage.demand("start", id)
        try await eventually("both streams are logged") {
            let log = try Files.readText(place.path("ctr.log"))
            return log.contains(" stdout F logged") && log.contains(" stderr F bad")
        }
        try await conmon(
            """
            -e -l k8s-file:\(place.path("exec.log")) -p \(place.path("execpid")) -u two \
            --exec-process-spec \(place.path("process.json"))
            """, says: "executed")
        try await eventually("conmon says the status") { try Files.readText(place.path("executed")).contains("}") }
        #expect(try JSONParser.parse(try Files.readText(place.path("executed")))["exit_code"]?.integer == 5)
        #expect(try Files.readText(place.path("exec.log")).hasSuffix(" stdout F inside"))
        try await stage.demand("kill", id, "15")
        try await eventually("conmon writes the status") { Files.exists(place.path("exits/\(id)")) }
        #expect(try Files.readText(place.path("exits/\(id)")) == "9")
        try await stage.demand("delete", "--force", id)
        let monitor = Int32(try Files.readText(place.path("conmon.pid"))) ?? 0
        try await eventually("conmon ends") { !Files.exists("/proc/\(monitor)") }
    }

    @Test func `a program that is not there is an error that conmon passes on`() async throws {
        let stage = try RuntimeStage()
        let place = stage.directory
        for name in ["exits", "persist", "sockets"] { try Files.makeDirectories(place.path(name)) }
        try stage.configure(["nonexistent"])
        _ = try await CommandRunner.run([
            "sh", "-c",
            """
            _OCI_SYNCPIPE=3 _OCI_STARTPIPE=4 conmon -b \(stage.bundle) -c \(stage.id()) -n name -r \(stage.executable) -u one \
            --exit-dir \(place.path("exits")) -l k8s-file:\(place.path("ctr.log")) -p \(place.path("pid")) \
            --persist-dir \(place.path("persist")) --socket-dir-path \(place.path("sockets")) --runtime-arg --root=\(stage.state) \
            3>\(place.path("created")) 4</dev/null </dev/null >/dev/null 2>&1
            """,
        ])
        try await eventually("conmon says why") { try Files.readText(place.path("created")).contains("}") }
        let said = try JSONParser.parse(try Files.readText(place.path("created")))
        #expect(
            said["pid"]?.integer == -1
                && said["message"]?.string?.contains("executable file not found in $PATH") == true, "\(said)")
        #expect(try await stage.demand("list", "--quiet") == "")
    }
}
