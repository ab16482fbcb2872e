import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// A sandbox with a small first process, and devices that are given by name.
    ///
    /// The keeper of a debug build needs Swift's libraries: these sandboxes show the machine's, an image's would not.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Inits {
        let keeper: KeeperProcess

        init() throws { keeper = try KeeperProcess() }

        private func end(_ name: String) throws -> EndReport {
            let end = try keeper.end(of: name)
            try keeper.demand(.acknowledge(sandbox: name))
            return end
        }

        @Test func `an init passes signals on, reaps and ends as its program`() throws {
            let script = """
                trap 'exit 7' TERM
                sh -c 'sleep 0 &' ; echo $$
                while grep -q '^State:.Z' /proc/[0-9]*/status; do sleep 0.01; done
                (echo x > /dev/init) 2>/dev/null || echo unwritable
                while :; do sleep 0.01; done
                """
            let started = try keeper.start(script, in: .with { $0.usesInit = true }, name: "one")
            // Its own pid is not 1; what nobody waits for is reaped; and the init's file cannot be changed.
            var seen = ""
            while !seen.hasSuffix("unwritable\n") {
                let bytes = try Files.readSome(started.ends[1].raw, count: 64, name: "output")
                guard !bytes.isEmpty else { break }
                seen += String(decoding: bytes, as: UTF8.self)
            }
            let lines = seen.split(separator: "\n").map(String.init)
            #expect(lines.count == 2 && lines.last == "unwritable" && Int(lines[0]).map { $0 > 1 } == true, "\(lines)")
            try keeper.demand(.signal(sandbox: "one", number: SIGTERM, wholeTree: false))
            #expect(try end("one").status == .exited(7))
        }

        @Test func `an init ends with the status of a program that a signal ended`() throws {
            _ = try keeper.start("kill -9 $$", in: .with { $0.usesInit = true }, name: "killed")
            #expect(try end("killed").status == .exited(137))
        }

        @Test func `a device that is given works, and a device file that is only bound does not`() throws {
            let plan = SandboxPlan.with {
                $0.mounts = [Mount(.device("/dev/null"), at: "/dev/mine"), Mount(.bind("/dev/null"), at: "/dev/bound")]
            }
            let started = try keeper.start(
                "echo x > /dev/mine && echo works; (echo x > /dev/bound) 2>/dev/null || echo refused", in: plan, name: "one")
            #expect(try started.text(1) == "works\nrefused\n")
            _ = try end("one")
            let none = SandboxPlan.with { $0.mounts = [Mount(.device("/etc/passwd"), at: "/dev/mine")] }
            #expect(try keeper.refusal(.define(none)).sentence.contains("no device file"))
        }
    }
}
