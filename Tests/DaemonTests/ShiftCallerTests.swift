import JSON
import Linux
import Spawn
import TestKit
import Testing

/// Callers as Debian has them, unmodified, and their programs shifted up and down while they work.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ShiftCallerTests {
    private func with(_ body: (ShiftedMachine) async throws -> Void) async throws {
        try await ShiftedMachine.with { machine, node in
            try await body(machine)
            return node
        }
    }

    private static var root: String {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }

    @Test func `xargs over real files`() async throws {
        try await with { machine in
            let digest = try await machine.copy(of: "/usr/bin/sha256sum", as: "digest")
            // Beside this project where it is developed; the examples elsewhere.
            let data = ["\(Self.root)/../shared/data", "\(Self.root)/Examples"].first(where: Files.exists)!
            let line = "find \(data)/ -type f -print0 | sort -z | head -z -n 40 | xargs -0 -n 1 -P 2 \(digest) | sort"
            let calls = try await machine.shell(line).text.split(separator: "\n").count
            try await ShiftLadder(machine: machine, program: digest, calls: calls).climb("xargs") {
                try await machine.shell(line).text
            }
        }
    }

    @Test func `make builds the same files with a shifted compiler`() async throws {
        try await with { machine in
            // The machine's own, by the file that its links lead to: what is mounted in this namespace is nowhere else.
            let compiler = try await machine.shell("readlink -f $(command -v gcc)").text.split(separator: "\n").map(
                String.init)[0]
            let source = "\(Self.root)/Tests/Fixtures/shifted-build"
            try await ShiftLadder(machine: machine, program: compiler, calls: 8).climb("make") {
                let line =
                    "rm -rf build && cp -r \(source) build && make -s -C build -j2 CC=gcc && build/program && cd build && sha256sum *.o program"
                let outcome = try await machine.shell(line)
                #expect(outcome.status.isSuccess, "\(outcome.errorText)")
                return outcome.text
            }
        }
    }

    @Test func `Python's subprocess with pipes, time-outs and process groups`() async throws {
        try await with { machine in
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "filter")
            let script = machine.path("caller.py")
            try Files.replace(
                script,
                with: Array(
                    """
                    import os, signal, subprocess, sys
                    p = sys.argv[1]
                    # Pipes, one after the other and chained.
                    print(subprocess.run([p, '{ print $1 * 2 }'], input=b'1\\n2\\n3\\n', capture_output=True))
                    a = subprocess.Popen([p, 'BEGIN { for (i = 0; i < 20000; i++) print i }'], stdout=subprocess.PIPE)
                    b = subprocess.Popen([p, '{ s += $1 } END { print s }'], stdin=a.stdout, stdout=subprocess.PIPE)
                    a.stdout.close()
                    print(b.communicate(), a.wait())
                    # Standard error into standard output, a status, a working directory, a variable.
                    print(subprocess.run([p, 'BEGIN { print ENVIRON["WHO"] > "/dev/stderr"; exit 3 }'],
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={'WHO': 'caller'}, cwd='/tmp'))
                    # A time-out kills it.
                    t = subprocess.Popen([p, 'BEGIN { print "ready"; fflush(); while (1) x++ }'], stdout=subprocess.PIPE)
                    # One that is killed before the node has heard of it is no call.
                    t.stdout.readline()
                    try:
                        t.wait(timeout=1)
                    except subprocess.TimeoutExpired as e:
                        t.kill(); t.wait()
                        print('timed out')
                    # A group of its own, ended by a signal to the group.
                    c = subprocess.Popen([p, 'BEGIN { print "ready"; fflush(); while (1) x++ }'], stdout=subprocess.PIPE, start_new_session=True)
                    c.stdout.readline()
                    os.killpg(c.pid, signal.SIGTERM)
                    print('group', c.wait())
                    """.utf8), mode: 0o644)
            try await ShiftLadder(machine: machine, program: filter, calls: 6, uncompared: 2).climb("Python") {
                let outcome = try await machine.run(["python3", script, filter])
                #expect(outcome.status.isSuccess, "\(outcome.errorText)")
                return outcome.text
            }
        }
    }

    @Test func `xinetd serves connections with a shifted program`() async throws {
        try await with { machine in
            let server = try await machine.copy(of: "/usr/bin/awk", as: "server")
            let port = try await Self.freePort()
            let configuration = machine.path("xinetd.conf")
            try Files.replace(
                configuration,
                with: Array(
                    """
                    service doubling
                    {
                        type = UNLISTED
                        socket_type = stream
                        protocol = tcp
                        port = \(port)
                        bind = 127.0.0.1
                        wait = no
                        user = nobody
                        server = \(server)
                        server_args = {print($1*2);fflush();exit}
                        instances = 20
                        cps = 1000 1
                    }
                    """.utf8))
            let daemon = try await machine.background([
                "xinetd", "-dontfork", "-f", configuration, "-pidfile", machine.path("xinetd.pid"),
            ])
            try await ShiftLadder(machine: machine, program: server, calls: 20).climb("xinetd") {
                let script =
                    "import socket\nfor i in range(20):\n s = socket.create_connection(('127.0.0.1', \(port)), timeout=30)\n s.sendall(b'%d\\n' % i)\n s.shutdown(socket.SHUT_WR)\n print(s.makefile().read().strip())"
                return try await eventuallySome(within: .seconds(30), "xinetd serves") {
                    let outcome = try await machine.run(["python3", "-c", script])
                    return outcome.status.isSuccess ? outcome.text : nil
                }
            }
            try await daemon.end()
        }
    }

    private static func freePort() async throws -> Int {
        // None that the kernel gives to whoever asks for any (ip_local_port_range, ip(7)): it is let go of before it is
        // used.
        let script = """
            import random, socket
            while True:
                port = random.randrange(20000, 32000)
                try: socket.socket().bind(("127.0.0.1", port)); print(port); break
                except OSError: pass
            """
        let text = try await CommandRunner.run(["python3", "-c", script]).text
        return try #require(Int(text.split(separator: "\n").first ?? ""))
    }

    @Test func `PostgreSQL copies from a shifted program`() async throws {
        try await with { machine in
            let filter = try await machine.copy(of: "/usr/bin/awk", as: "rows")
            let data = machine.path("database")
            let programs = try #require(
                try await CommandRunner.run(["sh", "-c", "ls -d /usr/lib/postgresql/*/bin"]).text.split(separator: "\n")
                    .first)
            let asPostgres = "setpriv --reuid postgres --regid postgres --clear-groups"
            let made = try await machine.shell(
                "mkdir database && chown postgres database && \(asPostgres) \(programs)/initdb -D \(data) -A trust >/dev/null"
            )
            #expect(made.status.isSuccess, "\(made.errorText)")
            let daemon = try await machine.background(
                asPostgres.split(separator: " ").map(String.init) + [
                    "\(programs)/postgres", "-D", data, "-k", data, "-c", "listen_addresses=", "-c", "fsync=off",
                ])
            let psql = "\(asPostgres) psql -h \(data) -qAt -v ON_ERROR_STOP=1 postgres"
            try await eventually(within: .seconds(60), "PostgreSQL serves") {
                try await machine.shell(psql, input: "select 1;\n").status.isSuccess
            }
            let statements = (0..<10).map { number in
                "copy rows from program '\(filter) ''BEGIN { for (i = 0; i < 1000; i++) print i \",\" i * \(number) }''' with (format csv);\n"
            }.joined()
            let input =
                "drop table if exists rows; create table rows (a int, b int);\n\(statements)select count(*), sum(a), sum(b) from rows;\n"
            try await ShiftLadder(machine: machine, program: filter, calls: 10, words: ["--drop-descriptors"]).climb(
                "PostgreSQL"
            ) {
                let outcome = try await machine.shell(psql, input: input)
                #expect(outcome.status.isSuccess, "\(outcome.errorText)")
                return outcome.text
            }
            try await daemon.end(Signal.interrupt)
        }
    }

    @Test func `cron starts a shifted program`() async throws {
        try await with { machine in
            let job = try await machine.copy(of: "/usr/bin/awk", as: "job")
            // cron's own places are covered in this namespace alone.
            let covered = try await machine.shell(
                """
                mkdir -p cron/spool cron/d cron/run && : >cron/crontab && mount --bind cron/spool /var/spool/cron/crontabs && \
                mount --bind cron/d /etc/cron.d && mount --bind cron/crontab /etc/crontab && mount --bind cron/run /run
                """)
            try #require(covered.status.isSuccess, "\(covered.errorText)")
            // One job calls until it is told to stop, so that the modes need not wait for a minute each; it starts with cron.
            let (output, stop, over) = (machine.path("cron/output"), machine.path("cron/stop"), machine.path("cron/over"))
            let line =
                "@reboot root until [ -e \(stop) ]; do i=$((i+1)); echo $i | \(job) '{ print $1 * 2 }'; sleep 0.1; done >\(output) 2>&1; >\(over)\n"
            try Files.replace(machine.path("cron/d/job"), with: Array(line.utf8), mode: 0o644)
            let daemon = try await machine.background(["cron", "-f"])
            try await eventually(within: .seconds(60), "cron starts the job") { Files.exists(output) }
            for mode in [
                ["measure"], ["shadow", "--to", "container"], ["canary", "--percent", "50", "--to", "container"],
                ["full", "--to", "container"],
            ] {
                let outcome = try await machine.forkless(["shift", job, "--mode"] + mode)
                try #require(outcome.status.isSuccess, "\(outcome.errorText)")
                try await eventually(within: .seconds(60), "calls in \(mode[0])") {
                    (try await machine.state(job)["stage", "calls"]?.integer ?? 0) >= 8
                }
                let state = try await machine.state(job)
                #expect(state["stage", "differing"]?.integer == 0)
                #expect(state["stage", "detours"]?.integer == 0)
                try StandardError.write(
                    "cron: \(mode[0]) \(state["stage", "calls"]?.integer ?? 0) calls, p95 \(state["target", "p95Microseconds"]?.integer ?? 0) us by the target\n"
                )
            }
            try await machine.shift("rollback", job)
            try Files.replace(stop, with: [], mode: 0o644)
            try await eventually(within: .seconds(60), "the job ends") { Files.exists(over) }
            let lines = try Files.readText(output).split(separator: "\n").map(String.init)
            #expect(lines.count >= 32 && lines == (1...lines.count).map { "\($0 * 2)" })
            try await daemon.end()
        }
    }
}
