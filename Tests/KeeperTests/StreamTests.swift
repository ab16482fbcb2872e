import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Where output goes, and input comes from.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Streams {
        let keeper: KeeperProcess
        let place: TemporaryDirectory
        let log: SharedFD
        let null: SharedFD

        init() throws {
            keeper = try KeeperProcess()
            place = try TemporaryDirectory("keepertest-streams")
            log = SharedFD(try Files.open(place.path, O_RDONLY | O_DIRECTORY))
            null = SharedFD(try Files.open("/dev/null", O_RDWR))
        }

        /// Runs a command with its output logged and returns the end.
        private func logged(_ command: String, name: String, limit: Int = 16 << 20) throws -> EndReport {
            _ = try keeper.start(command, name: name, streams: .logged, logBytesLimit: limit, [null.raw, log.raw])
            let end = try keeper.end(of: name)
            try keeper.demand(.acknowledge(sandbox: name))
            return end
        }

        private struct Line {
            var stream: String
            var mark: String
            var text: String
        }

        /// The log, taken apart; an issue when a line is not as the Container Runtime Interface says.
        private func lines(_ file: String = "log") throws -> [Line] {
            let bytes = try Files.read(place.path(file), limit: 64 << 20)
            if let last = bytes.last { #expect(last == 10) }
            return bytes.split(separator: 10, omittingEmptySubsequences: false).dropLast().compactMap { line in
                let parts = line.split(separator: 32, maxSplits: 3, omittingEmptySubsequences: false).map {
                    String(decoding: $0, as: UTF8.self)
                }
                guard parts.count == 4, parts[0].hasSuffix("Z"), parts[0].contains("T"),
                    ["stdout", "stderr"].contains(parts[1]), ["F", "P"].contains(parts[2])
                else {
                    Issue.record("no line of a log: \(parts)")
                    return nil
                }
                return Line(stream: parts[1], mark: parts[2], text: parts[3])
            }
        }

        @Test func `passed descriptors are the program's own`() throws {
            let file = try Files.open(place.path("out"), O_RDWR | O_CREAT, mode: 0o600)
            try place.write("input\n", to: "in")
            let input = try Files.open(place.path("in"), O_RDONLY)
            _ = try keeper.start(
                "cat; echo error >&2", name: "passed", streams: .passed, [input.raw, file.raw, file.raw])
            _ = try keeper.end(of: "passed")
            #expect(try Files.readText(place.path("out")) == "input\nerror")
            #expect(try keeper.refusal(.attach(sandbox: "passed")).kind == .conflict)
        }

        @Test func `pipes carry input, output and errors`() throws {
            var started = try keeper.start("cat; echo error >&2", name: "pipes")
            try Files.writeAll(Array("hello\n".utf8), to: started.ends[0].raw)
            let output = started.ends[1]
            let error = started.ends[2]
            started.ends = []
            #expect(try Files.readAll(output.raw) == Array("hello\n".utf8))
            #expect(try Files.readAll(error.raw) == Array("error\n".utf8))
        }

        @Test func `the log has every line with its time and stream`() throws {
            let end = try logged("echo one; echo two >&2; printf 'three\\n\\nfour'", name: "log")
            #expect(end.status.isSuccess)
            #expect(end.lostLogBytes == 0)
            let lines = try lines()
            #expect(lines.filter { $0.stream == "stdout" }.map(\.text) == ["one", "three", "", "four"])
            #expect(lines.filter { $0.stream == "stdout" }.map(\.mark) == ["F", "F", "F", "P"])
            #expect(lines.filter { $0.stream == "stderr" }.map(\.text) == ["two"])
        }

        @Test func `a line that comes in pieces is one line`() throws {
            _ = try logged("printf a; sleep 0.05; printf b; sleep 0.05; echo c", name: "pieces")
            #expect(try lines().map(\.text) == ["abc"])
        }

        @Test func `long lines are written in parts of bounded length`() throws {
            for count in [16_384, 16_385, 50_000] {
                try? Files.remove(place.path("log"))
                _ = try logged(
                    "perl -e 'print \"x\" x \(count), \"\\n\", \"y\" x \(count), \"\\n\"; print \"z\" x 40000'",
                    name: "long\(count)")
                let lines = try lines()
                #expect(lines.allSatisfy { $0.text.utf8.count <= 16 << 10 })
                #expect(
                    lines.map(\.text).joined() == String(repeating: "x", count: count)
                        + String(repeating: "y", count: count) + String(repeating: "z", count: 40_000))
                #expect(lines.filter { $0.mark == "F" }.count == 2)
            }
        }

        @Test(arguments: [32 << 10, 100_000, 1 << 20]) func `an output flood is bounded by rotation`(limit: Int) throws
        {
            let end = try logged(
                "yes | head -c 1500000; echo; echo last; sleep 0.01; echo error >&2", name: "flood", limit: limit)
            #expect(end.lostLogBytes == 0)
            for file in ["log", "log.1"] {
                #expect(try Files.status(place.path(file)).size <= limit)
                _ = try lines(file)
            }
            #expect(try lines().suffix(2).map(\.text) == ["last", "error"])
            #expect(try Files.list(place.path).sorted() == ["log", "log.1"])
        }

        @Test func `a full disk loses log lines, counts them and lets the program run`() throws {
            let small = place.path("small")
            try Files.makeDirectories(small)
            #expect(mount("none", small, "tmpfs", 0, "size=256k") == 0)
            defer { umount2(small, CInt(MNT_DETACH)) }
            try withDirectory(small) { directory in
                let command = "yes 0123456789 | head -c 2000000; echo done >&2; exit 7"
                _ = try keeper.start(command, name: "full", streams: .logged, [null.raw, directory])
                let end = try keeper.end(of: "full")
                #expect(end.status == .exited(7))
                #expect(end.lostLogBytes > 1_000_000)
                // Every byte is in the log or counted as lost, and no line is cut off.
                let lines = try lines("small/log")
                #expect(lines.allSatisfy { $0.mark == "P" || ["0123456789", "done"].contains($0.text) })
                let kept = lines.reduce(0) { $0 + $1.text.utf8.count + ($1.mark == "F" ? 1 : 0) }
                #expect(kept + end.lostLogBytes == 2_000_005)
            }
        }

        private func withDirectory(_ path: String, _ body: (CInt) throws -> Void) throws {
            let directory = try Files.open(path, O_RDONLY | O_DIRECTORY)
            try body(directory.raw)
        }

        @Test func `attached at the start misses no byte`() throws {
            for round in 0..<20 {
                let started = try keeper.start(
                    "echo out\(round); echo err >&2", name: "a\(round)", streams: .logged, attached: true,
                    [null.raw, log.raw])
                #expect(try started.text(0) == "out\(round)\n")
                #expect(try started.text(1) == "err\n")
            }
        }

        @Test func `attached later sees what comes from then on`() throws {
            let input = try Files.pipe().ends()
            _ = try keeper.start(
                "read x; echo early; read x; echo late", name: "later", streams: .logged, [input.reader.raw, log.raw])
            try Files.writeAll([10], to: input.writer.raw)
            while true {
                if Files.exists(place.path("log")), try !lines().isEmpty { break }
                usleep(1000)
            }
            let ends = try keeper.demand(.attach(sandbox: "later"))
            try Files.writeAll([10], to: input.writer.raw)
            #expect(try Files.readAll(ends[0].raw) == Array("late\n".utf8))
            _ = try keeper.end(of: "later")
            #expect(try lines().map(\.text) == ["early", "late"])
        }

        @Test func `an attached reader that stops reading holds the program up, not the keeper`() throws {
            let started = try keeper.start(
                "yes | head -c 3000000; echo end", name: "held", streams: .logged, attached: true, [null.raw, log.raw])
            // It waits with its output in the pipes; others start, run and end.
            for _ in 0..<3 { #expect(try keeper.shell("echo other").output == "other\n") }
            #expect(try keeper.list().contains { $0.sandbox == "held" && $0.end == nil })
            #expect(try rests(), "the keeper spins")
            let text = try started.text(0)
            #expect(text.utf8.count == 3_000_004)
            #expect(text.hasSuffix("end\n"))
            #expect(try keeper.end(of: "held").status.isSuccess)
        }

        @Test func `a reader that is slow gets every byte after the program's end`() throws {
            let started = try keeper.start(
                "yes 1234567 | head -c 120000", name: "slow", streams: .logged, attached: true, [null.raw, log.raw])
            // The program's end is told although nobody has read yet: two pipes hold it all.
            #expect(try keeper.end(of: "slow").status.isSuccess)
            try keeper.demand(.acknowledge(sandbox: "slow"))
            #expect(try lines().count == 15_000)
            #expect(try rests(), "the keeper spins")
            #expect(try started.text(0).utf8.count == 120_000)
        }

        @Test func `readers that attach and go leave nothing in the keeper`() throws {
            _ = try keeper.start(
                "while :; do echo tick; done", name: "ticking", streams: .logged, logBytesLimit: 65_536,
                [null.raw, log.raw])
            for _ in 0..<3 { _ = try keeper.demand(.attach(sandbox: "ticking")) }
            usleep(20_000)
            let before = try keeper.status().openDescriptors
            for _ in 0..<50 { _ = try keeper.demand(.attach(sandbox: "ticking")) }
            usleep(20_000)
            let after = try keeper.status().openDescriptors
            #expect(after <= before + 2, "\(before) \(after)")
        }

        /// Whether the keeper comes to rest: one that still works on what it has read does in a moment, one that spins
        /// never.
        private func rests() throws -> Bool {
            for _ in 0..<100 {
                let before = try processorTime(of: keeper.pid)
                usleep(200_000)
                if try processorTime(of: keeper.pid) - before <= 5 { return true }
            }
            return false
        }

        /// User and system time in clock ticks of 10 ms.
        private func processorTime(of pid: Int32) throws -> Int {
            let fields = try Files.readText("/proc/\(pid)/stat").split(separator: ")").last!.split(separator: " ")
            return Int(fields[11])! + Int(fields[12])!
        }

        // Terminals.

        private func terminal(_ command: String, name: String) throws -> Terminal_ {
            let started = try keeper.start(
                command, name: name, streams: .terminal(Terminal.Size(rows: 24, columns: 80)), attached: true, [log.raw]
            )
            return Terminal_(output: started.ends[0], input: started.ends[1])
        }

        private struct Terminal_ {
            var output: SharedFD
            var input: SharedFD
            func type(_ text: String) throws { try Files.writeAll(Array(text.utf8), to: input.raw) }
            /// Reads until the text has come, and returns everything up to there.
            func until(_ text: String) throws -> String {
                var got: [UInt8] = []
                while !String(decoding: got, as: UTF8.self).contains(text) {
                    let part = try Files.readSome(output.raw, count: 4096)
                    guard !part.isEmpty else {
                        throw TestFailure("\(text) did not come: \(String(decoding: got, as: UTF8.self))")
                    }
                    got += part
                }
                return String(decoding: got, as: UTF8.self)
            }
        }

        @Test func `a program on a terminal has it under its name, with its size, and echo`() throws {
            let terminal = try terminal(
                "tty; stty size; readlink /proc/self/fd/0; read x; echo got $x; stty size", name: "tty")
            _ = try terminal.until("/dev/pts/0\r\n24 80\r\n/dev/pts/0\r\n")
            try keeper.demand(.resize(sandbox: "tty", Terminal.Size(rows: 50, columns: 132)))
            try terminal.type("word\n")
            #expect(try terminal.until("50 132\r\n") == "word\r\ngot word\r\n50 132\r\n")
            #expect(try keeper.end(of: "tty").status.isSuccess)
            #expect(try lines().contains { $0.text.contains("got word") })
        }

        @Test func `a program hears of a resize`() throws {
            let terminal = try terminal(
                "trap 'stty size; exit 4' WINCH; echo up; while :; do sleep 0.02; done", name: "winch")
            _ = try terminal.until("up\r\n")
            try keeper.demand(.resize(sandbox: "winch", Terminal.Size(rows: 10, columns: 20)))
            _ = try terminal.until("10 20\r\n")
            #expect(try keeper.end(of: "winch").status == .exited(4))
        }

        @Test func `the interrupt key reaches the program`() throws {
            let terminal = try terminal("sh -c 'echo up; exec sleep 300'; echo \"ended $?\"", name: "ctrl-c")
            _ = try terminal.until("up\r\n")
            try terminal.type("\u{3}")
            _ = try terminal.until("^C")
            // The shell gets the signal, too, but is the first process of its pid namespace and has no handler.
            #expect(
                try keeper.end(of: "ctrl-c").status.shellStatus != 0
                    || lines().contains { $0.text.contains("ended 130") })
        }

        @Test func `the end of the terminal ends its session`() throws {
            let terminal = try terminal("echo up; sleep 300", name: "hang")
            _ = try terminal.until("up\r\n")
            try keeper.demand(.signal(sandbox: "hang", number: SIGKILL, wholeTree: true))
            #expect(try keeper.end(of: "hang").status == .signaled(SIGKILL, coreDumped: false))
        }

        @Test func `more input than a terminal holds arrives complete`() throws {
            let terminal = try terminal(
                "stty raw -echo; echo up; sleep 0.1; head -c 300000 | wc -c; echo end", name: "paste")
            _ = try terminal.until("up\n")
            let input = terminal.input
            try Files.setNonBlocking(input.raw)
            var left = [UInt8](repeating: UInt8(ascii: "p"), count: 300_000)
            while !left.isEmpty {
                if let count = try Files.writeAvailable(left[...], to: input.raw) {
                    left.removeFirst(count)
                } else {
                    usleep(1000)
                }
            }
            #expect(try terminal.until("end").contains("300000"))
        }

        @Test func `resizing what has no terminal is refused`() throws {
            let started = try keeper.start("read x", name: "flat")
            #expect(
                try keeper.refusal(.resize(sandbox: "flat", Terminal.Size(rows: 1, columns: 1))).kind == .badRequest)
            _ = started
        }

        @Test func `a terminal without a mount namespace works, too`() throws {
            let started = try keeper.start(
                "stty size; tty", in: .unisolated, name: "plain",
                streams: .terminal(Terminal.Size(rows: 7, columns: 9)),
                attached: true, [log.raw])
            #expect(try started.text(0).hasPrefix("7 9\r\n/dev/pts/"))
        }
    }
}
