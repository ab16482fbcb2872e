import Glibc
import JSON
import Linux
import TestKit
import Testing

/// How the runtime's own file gets on a read-only mount: without a second start, and by one where the kernel has no other
/// way.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(4))) struct ProtectionTests {
    private let stage: RuntimeStage

    init() throws { stage = try RuntimeStage() }

    /// Runs a verb of the runtime under strace; the system calls of the runtime itself, its children's left out.
    private func trace(_ verb: [String], _ options: [String] = []) async throws -> [Substring] {
        let log = stage.directory.path("trace")
        let outcome = try await CommandRunner.run(
            ["strace", "-o", log, "-e", "trace=execve,execveat,prctl"] + options
                + ["--", stage.executable, "--root", stage.state] + verb)
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        return try Files.readText(log).split(separator: "\n")
    }

    private func executions(_ calls: [Substring]) -> Int {
        calls.filter { $0.hasPrefix("execve") && $0.hasSuffix(" = 0") }.count
    }

    @Test func `the executable becomes read-only without being executed again`() async throws {
        try stage.configure(["true"])
        let calls = try await trace(["run", "--bundle", stage.bundle, stage.id()])
        #expect(executions(calls) == 1, "\(calls)")
        #expect(calls.contains { $0.contains("PR_SET_MM_MAP") && $0.hasSuffix(" = 0") }, "\(calls)")
    }

    @Test func `a runtime whose executable the kernel does not change executes itself again from a read-only mount`()
        async throws
    {
        try stage.configure(["true"])
        let calls = try await trace(
            ["run", "--bundle", stage.bundle, stage.id()], ["-e", "inject=prctl:error=EPERM:when=1"])
        #expect(calls.contains { $0.contains("PR_SET_MM_MAP") && $0.contains("INJECTED") }, "\(calls)")
        #expect(executions(calls) == 2, "\(calls)")
    }

    @Test func `a runtime that lies on a read-only mount leaves it at that`() async throws {
        try stage.configure(["true"])
        let runtime = stage.executable
        let log = stage.directory.path("trace")
        let outcome = try await CommandRunner.run([
            "unshare", "--mount", "--propagation", "private", "sh", "-c",
            "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec strace -o \(log) -e trace=execve,execveat,prctl \"$0\" \"$@\"",
            runtime, "--root", stage.state, "run", "--bundle", stage.bundle, stage.id(),
        ])
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        let calls = try Files.readText(log).split(separator: "\n")
        #expect(executions(calls) == 1 && !calls.contains { $0.contains("PR_SET_MM") }, "\(calls)")
    }

    @Test func `a verb that makes no process in a container leaves the executable alone`() async throws {
        let calls = try await trace(["list"])
        #expect(executions(calls) == 1 && !calls.contains { $0.contains("PR_SET_MM") }, "\(calls)")
    }

    @Test func `the process that waits in a container has the runtime's command line and environment`() async throws {
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        let outcome = try await CommandRunner.run(
            [
                "sh", "-c",
                "\(stage.executable) --root \(stage.state) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>&1",
            ], environment: ["PATH=/usr/bin:/bin", "MARK=of the test"])
        #expect(outcome.status.isSuccess)
        let pid = try await stage.pid(id)
        let words = try Files.read("/proc/\(pid)/cmdline").split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(words == [stage.executable, "--root", stage.state, "create", "--bundle", stage.bundle, id])
        let environment = try Files.read("/proc/\(pid)/environ").split(separator: 0)
        #expect(environment.contains { $0.elementsEqual("MARK=of the test".utf8) })
    }
}
