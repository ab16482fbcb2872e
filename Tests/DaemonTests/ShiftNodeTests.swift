import Daemon
import JSON
import Linux
import Spawn
import TestKit
import Testing

/// Shifts of a real node, and what happens to it and to the programs.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ShiftNodeTests {
    private func answer(_ machine: ShiftedMachine, _ program: String, _ number: Int = 21) async throws -> String {
        let outcome = try await machine.run([program, "{ print $1 * 2 }"], input: "\(number)\n")
        return outcome.status.isSuccess ? outcome.text : "\(outcome.status) \(outcome.errorText)"
    }

    // The node dies.

    @Test(arguments: ["measure", "shadow", "canary", "full"])
    func `the original answers while the node is dead, and the next node goes on`(_ mode: String) async throws {
        try await ShiftedMachine.with { machine, node in
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "filter")
            let target = mode == "measure" ? [] : ["--to", "container"] + (mode == "canary" ? ["--percent", "50"] : [])
            let begun = try await machine.forkless(["shift", filter, "--mode", mode] + target)
            try #require(begun.status.isSuccess, "\(begun.errorText)")
            for _ in 0..<4 { #expect(try await answer(machine, filter) == "42\n") }
            try await machine.kill(node)
            for _ in 0..<4 { #expect(try await answer(machine, filter) == "42\n") }
            let next = try await machine.launch()
            let state = try await machine.state(filter)
            #expect(state["mode"]?.string == mode)
            #expect(state["phase"]?.string == "active")
            for _ in 0..<4 { #expect(try await answer(machine, filter) == "42\n") }
            try await eventually("the next node counts") {
                (try await machine.state(filter)["stage", "calls"]?.integer ?? 0) >= 4
            }
            try await machine.shift("rollback", filter)
            return next
        }
    }

    @Test func `a node that is killed while it begins or ends a shift leaves one or none`() async throws {
        try await ShiftedMachine.with { machine, node in
            var node = node
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "filter")
            for round in 0..<8 {
                let words = round % 2 == 0 ? [filter, "--mode", "full", "--to", "container"] : ["rollback", filter]
                async let asked = machine.forkless(["shift"] + words)
                // From before it hears of it to after it has done it.
                try await Task.sleep(for: .milliseconds(15 * (round + 1)))
                try await machine.kill(node)
                let wasAcknowledged = try await asked.status.isSuccess
                #expect(try await answer(machine, filter) == "42\n")
                node = try await machine.launch()
                // Without one there is no shift of this name.
                let isActive = try? await machine.state(filter)["phase"]?.string == "active"
                #expect(try await machine.isShifted(filter) == (isActive == true), "round \(round)")
                if wasAcknowledged { #expect((isActive == true) == (round % 2 == 0), "round \(round)") }
                #expect(try await answer(machine, filter) == "42\n")
                // The next round asks for something else than what is.
                if (isActive == true) != (round % 2 == 0) { _ = try await machine.forkless(["shift"] + words) }
            }
            _ = try await machine.forkless(["shift", "rollback", filter])
            #expect(try await !machine.isShifted(filter))
            return node
        }
    }

    @Test func `after a reboot the shims are put back`() async throws {
        try await ShiftedMachine.with { machine, node in
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "filter")
            try await machine.shift(filter, "--mode", "full", "--to", "container")
            try await machine.kill(node)
            try await machine.reboot()
            #expect(try await !machine.isShifted(filter))
            #expect(try await answer(machine, filter) == "42\n")
            let next = try await machine.launch()
            #expect(try await machine.isShifted(filter))
            #expect(try await answer(machine, filter) == "42\n")
            try await eventually("the target answers") {
                (try await machine.state(filter)["target", "runs"]?.integer ?? 0) >= 1
            }
            return next
        }
    }

    @Test func `a shift is rolled back without a node, and the next one knows`() async throws {
        try await ShiftedMachine.with { machine, node in
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "filter")
            try await machine.shift(filter, "--mode", "full", "--to", "container")
            try await machine.kill(node)
            let outcome = try await machine.forkless(["shift", "rollback", filter])
            #expect(outcome.status.isSuccess, "\(outcome.errorText)")
            #expect(try await !machine.isShifted(filter))
            let next = try await machine.launch()
            let state = try await machine.state(filter)
            #expect(state["phase"]?.string == "rolled-back")
            #expect(try await !machine.isShifted(filter))
            return next
        }
    }

    // What happens to programs.

    @Test func `dpkg refuses to upgrade a shifted program, and does once the shim is away`() async throws {
        try await ShiftedMachine.with { machine, node in
            try await machine.makePackages()
            let program = machine.path("root/opt/teller")
            try #require(try await machine.install("1").status.isSuccess)
            try await machine.shift(program, "--mode", "full", "--to", "container")
            #expect(try await machine.run([program]).text == "version 1\n")
            let refused = try await machine.install("2")
            #expect(!refused.status.isSuccess)
            #expect(refused.errorText.contains("unable to make backup link"), "\(refused.errorText)")
            #expect(try await machine.run([program]).text == "version 1\n")
            try await machine.shift("pause", program, "--unmount")
            let installed = try await machine.install("2")
            #expect(installed.status.isSuccess, "\(installed.errorText)")
            #expect(try await machine.run([program]).text == "version 2\n")
            try await machine.shift("resume", program)
            #expect(try await machine.run([program]).text == "version 2\n")
            try await eventually("the target answers") {
                (try await machine.state(program)["stage", "answeredByTarget"]?.integer ?? 0) >= 1
            }
            return node
        }
    }

    @Test func `a program that is replaced from elsewhere is paused, and answered by its new file`() async throws {
        try await ShiftedMachine.with { machine, node in
            let program = try await machine.copy(of: "/bin/true", as: "program")
            try await machine.shift(program, "--mode", "full", "--to", "container")
            #expect(try await machine.run([program]).status == .exited(0))
            // This process lives in another mount namespace.
            let new = try await machine.copy(of: "/bin/false", as: "new")
            try Files.rename(new, to: program)
            #expect(try await machine.run([program]).status == .exited(1))
            try await eventually("the shift is paused") {
                try await machine.state(program)["phase"]?.string == "paused"
            }
            // It is mounted after that is known.
            try await eventually("the shim stands over the new file") { try await machine.isShifted(program) }
            #expect(try await machine.run([program]).status == .exited(1))
            try await machine.shift("resume", program)
            for _ in 0..<3 { #expect(try await machine.run([program]).status == .exited(1)) }
            try await eventually("the new file is the target's") {
                (try await machine.state(program)["target", "failures"]?.integer ?? 0) >= 3
            }
            try Files.remove(program)
            #expect(try await machine.run(["sh", "-c", program]).status == .exited(127))
            try await eventually("the shift is paused again") {
                try await machine.state(program)["why"]?.string?.contains("gone") == true
            }
            return node
        }
    }

    @Test func `what cannot be shifted is refused with the reason`() async throws {
        try await ShiftedMachine.with { machine, node in
            func refusal(_ words: String...) async throws -> String {
                let outcome = try await machine.forkless(["shift"] + words)
                #expect(!outcome.status.isSuccess)
                return outcome.errorText
            }
            let program = try await machine.copy(of: "/bin/true", as: "program")
            try await machine.shift(program, "--mode", "measure")
            // A shim of a shim: what is there is shifted already, whoever names it.
            let shim = "\(machine.test.settings.state)/shifts"
            let name = try #require(try Files.list(shim).first)
            #expect(try await refusal("\(shim)/\(name)/shim", "--mode", "measure").contains("a shim itself"))
            let setuid = try await machine.copy(of: "/bin/true", as: "setuid")
            try Files.setPermissions(setuid, 0o4755)
            #expect(try await refusal(setuid, "--mode", "measure").contains("set-user-ID"))
            let text = try await machine.copy(of: "/etc/hostname", as: "text")
            #expect(try await refusal(text, "--mode", "measure").contains("neither"))
            #expect(try await refusal(machine.path("missing"), "--mode", "measure").contains("No such file"))
            #expect(
                try await refusal(program, "--mode", "full", "--to", "function=missing").contains("missing"))
            #expect(
                try await refusal(program, "--mode", "shadow", "--to", "standby", "--output-file", "x").contains("standby"))
            return node
        }
    }

    // What is not an ordinary program.

    @Test func `a 32-bit program is measured, and kept from containers, which would not run it`() async throws {
        try await ShiftedMachine.with { machine, node in
            let source = machine.path("small.c")
            try Files.replace(source, with: Array(Self.smallProgram.utf8))
            let program = machine.path("small")
            let compiled = try await CommandRunner.run(
                ["cc", "-m32", "-O1", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-ffreestanding", "-o", program, source])
            try #require(compiled.status.isSuccess, "\(compiled.errorText)")
            let direct = try await machine.run([program])
            // A kernel without IA32 emulation: neither runs.
            try await machine.shift(program, "--mode", "measure")
            let shifted = try await machine.run([program])
            #expect(shifted.status == direct.status, "\(shifted.errorText)")
            #expect(shifted.text == direct.text)
            for target in ["container", "standby"] {
                let refused = try await machine.forkless(["shift", program, "--mode", "full", "--to", target])
                #expect(!refused.status.isSuccess)
                #expect(refused.errorText.contains("32-bit"), "\(refused.errorText)")
            }
            #expect(try await machine.run([program]).text == direct.text)
            return node
        }
    }

    /// Writes and exits by the system calls of i386.
    private static let smallProgram = """
        static int call(int n, int a, const char *b, int c) {
            int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r;
        }
        void _start(void) { call(4, 1, "32 bits\\n", 8); call(1, 7, 0, 0); for (;;) ; }
        """

    @Test(arguments: [
        "#!/bin/sh\nread x; echo \"$# $1 $x ${0##*/}\"; exit 3\n",
        "#!/usr/bin/python3\nimport os, sys\nprint(len(sys.argv), sys.argv[1], sys.stdin.read().strip(), os.path.basename(sys.argv[0]))\nsys.exit(3)\n",
        "#! /usr/bin/env -S perl -w\nmy $x = <STDIN>; chomp $x; print scalar(@ARGV), \" $ARGV[0] $x\\n\"; exit 3;\n",
    ]) func `a script is shifted like others`(_ text: String) async throws {
        try await ShiftedMachine.with { machine, node in
            let program = machine.path("script name")
            try Files.replace(program, with: Array(text.utf8), mode: 0o755)
            let direct = try await machine.run([program, "a word"], input: "line\n")
            #expect(direct.status == .exited(3), "\(direct.errorText)")
            for mode in [["measure"], ["shadow", "--to", "container"], ["full", "--to", "container"]] {
                let begun = try await machine.forkless(["shift", program, "--mode"] + mode)
                try #require(begun.status.isSuccess, "\(begun.errorText)")
                let shifted = try await machine.run([program, "a word"], input: "line\n")
                #expect(shifted.status == direct.status, "\(mode): \(shifted.errorText)")
                #expect(shifted.text == direct.text)
            }
            try await eventually("the target answers") {
                (try await machine.state(program)["target", "runs"]?.integer ?? 0) >= 1
            }
            return node
        }
    }

    // Files and a full disk.

    @Test func `declared output files are compared`() async throws {
        try await ShiftedMachine.with { machine, node in
            let program = machine.path("writer")
            // Without IN_CONTAINER both write the same; the machine's own name space of IPC tells the sides apart.
            let text = """
                #!/bin/sh
                own=$(readlink /proc/self/ns/ipc)
                echo "price 1.25" >out.csv
                [ "$1" = differ ] && [ "$own" != "\(try Files.link("/proc/self/ns/ipc"))" ] && echo "price 1.26" >out.csv
                echo done

                """
            try Files.replace(program, with: Array(text.utf8), mode: 0o755)
            try await machine.shift(
                program, "--mode", "shadow", "--to", "container", "--output-file", "out.csv", "--limit-differences", "none")
            #expect(try await machine.shell("'\(program)'").text == "done\n")
            try await eventually("it is compared") {
                try await machine.state(program)["stage", "compared"]?.integer == 1
            }
            #expect(try await machine.state(program)["stage", "differing"]?.integer == 0)
            // As a node leaves it that died while both ran.
            let layers = try await machine.layers()
            try Files.makeDirectories(layers + "/left/upper")
            #expect(try await machine.shell("'\(program)' differ").text == "done\n")
            try await eventually("it is compared") {
                try await machine.state(program)["stage", "compared"]?.integer == 2
            }
            let state = try await machine.state(program)
            #expect(state["stage", "differing"]?.integer == 1)
            let difference = state["firstDifference"]?.string ?? ""
            #expect(difference.contains("file=out.csv"), "\(difference)")
            #expect(difference.contains("price 1.26"))
            try await eventually("nothing of what the targets wrote is left") { try Files.list(layers) == [] }
            // What the caller finds is the original's.
            #expect(try await machine.shell("cat out.csv").text == "price 1.25\n")
            return node
        }
    }

    @Test func `on a full disk calls are answered and shims can be taken away`() async throws {
        try await ShiftedMachine.with(memoryForState: "24m") { machine, node in
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "filter")
            let other = try await machine.copy(of: "/usr/bin/awk", as: "other")
            try await machine.shift(filter, "--mode", "full", "--to", "container")
            #expect(try await answer(machine, filter) == "42\n")
            let state = machine.test.settings.state
            _ = try await machine.shell("cat /dev/zero > \(state)/filler")
            for number in 0..<5 { #expect(try await answer(machine, filter, number) == "\(number * 2)\n") }
            let refused = try await machine.forkless(["shift", other, "--mode", "measure"])
            #expect(!refused.status.isSuccess)
            #expect(try await !machine.isShifted(other))
            _ = try await machine.forkless(["shift", "rollback", filter])
            #expect(try await !machine.isShifted(filter))
            #expect(try await answer(machine, filter) == "42\n")
            _ = try await machine.shell("rm \(state)/filler")
            try await eventually(within: .seconds(30), "it is written when there is room") {
                try await machine.shift("history", filter)["history"]?.array?.last?["kind"]?.string == "rolled-back"
            }
            return node
        }
    }

    // Functions and services.

    @Test func `a function of the node answers`() async throws {
        try await ShiftedMachine.with { machine, node in
            let filter = try await machine.copy(of: "/usr/bin/jq", as: "filter")
            let deployed = try await machine.forkless(["fn", "deploy", "doubler", "--", "jq", "-c", "{twice:(.n*2)}"])
            try #require(deployed.status.isSuccess, "\(deployed.errorText)")
            try await ShiftLadder(machine: machine, program: filter, calls: 10, rung: "function=doubler").climb("function") {
                try await machine.shell("for i in $(seq 10); do echo \"{\\\"n\\\":$i}\" | ./filter -c '{twice:(.n*2)}'; done").text
            }
            return node
        }
    }

    @Test func `a service over HTTP answers`() async throws {
        try await ShiftedMachine.with { machine, node in
            let filter = try await machine.copy(of: "/usr/bin/jq", as: "filter")
            let script = machine.path("service.py")
            try Files.replace(script, with: Array(Self.service.utf8))
            let daemon = try await machine.background(["python3", script, machine.path("port")])
            let port = try await eventuallySome(within: .seconds(30), "the service listens") {
                try? Files.readText(machine.path("port"))
            }
            try await ShiftLadder(
                machine: machine, program: filter, calls: 10, rung: "service=http://127.0.0.1:\(port)/double"
            ).climb("service") {
                try await machine.shell("for i in $(seq 10); do echo \"{\\\"n\\\":$i}\" | ./filter -c '{twice:(.n*2)}'; done").text
            }
            try await daemon.end()
            // It is gone: the original answers again, since nothing was done.
            try await machine.shift(filter, "--mode", "full", "--to", "service=http://127.0.0.1:\(port)/double")
            #expect(try await machine.shell("echo '{\"n\":4}' | ./filter -c '{twice:(.n*2)}'").text == "{\"twice\":8}\n")
            return node
        }
    }

    private static let service = """
        import http.server, json, os, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                n = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["n"]
                body = (json.dumps({"twice": n * 2}, separators=(",", ":")) + "\\n").encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        with open(sys.argv[1] + ".new", "w") as file: file.write(str(server.server_address[1]))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        server.serve_forever()

        """
}
