import Linux
import TestKit
import Testing

@testable import Spawn

@Suite struct TreeTests {
    /// A tree that forks again whenever it can, bounded to fifty: each process counts in a file before it forks.
    private static let bomb = """
        grow() {
            read me rest < /proc/self/stat
            echo $me >> "$1"
            [ $(wc -l < "$1") -ge 50 ] && exec sleep 1000
            grow "$1" & grow "$1" &
            wait
            while :; do sleep 0.01; done
        }
        grow "$1"
        """

    private func bomb(_ directory: TemporaryDirectory, _ change: (inout Options) -> Void = { _ in }) throws -> (
        Template, String
    ) {
        var options = Options()
        options.standardError = .null
        // Whatever the tests do wrong, it stays a small bomb.
        options.limits = [ResourceLimit(.cpuSeconds, soft: 20, hard: 20)]
        change(&options)
        let pids = directory.path("pids")
        return (try Template("/bin/sh", arguments: ["-c", Self.bomb, "bomb", pids], options: options), pids)
    }

    private func pids(_ path: String) throws -> [Int32] {
        try Files.readText(path).split(separator: "\n").compactMap { Int32($0) }
    }

    @Test func `a tree of fifty processes that keeps forking is killed whole`() async throws {
        let directory = try TemporaryDirectory("spawn")
        let (template, path) = try bomb(directory)
        let running = try template.start()
        try await eventually("the tree has grown") { try Files.exists(path) && pids(path).count >= 50 }
        try running.killTree()
        #expect(try await running.wait().status == .signaled(Signal.kill, coreDumped: false))
        for pid in try pids(path) { try await eventually("\(pid) is gone") { isGone(pid) } }
    }

    @Test func `a tree is killed while it grows`() async throws {
        for _ in 0..<5 {
            let directory = try TemporaryDirectory("spawn")
            let (template, path) = try bomb(directory)
            let running = try template.start()
            try await eventually("the tree is growing") { try Files.exists(path) && pids(path).count >= 5 }
            try running.killTree()
            _ = try await running.wait()
            for pid in try pids(path) { try await eventually("\(pid) is gone") { isGone(pid) } }
        }
    }

    @Test func `with a process group of its own, orphans die too`() async throws {
        // The middle process ends, so nothing leads from the program to the sleeper but the group.
        var options = Options()
        options.group = .own
        let script = "(sleep 1000 & echo $!) ; while :; do sleep 0.01; done"
        let running = try Template("/bin/sh", arguments: ["-c", script], options: options).start(output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        let orphan = Int32(String(decoding: try await #require(output.next()), as: UTF8.self).dropLast())!
        #expect(ProcessStatus.of(orphan)?.parent != running.pid)
        try running.killTree()
        _ = try await running.wait()
        try await eventually("the orphan is gone") { isGone(orphan) }
    }

    @Test func `the group is killed although the program has ended`() async throws {
        var options = Options()
        options.group = .ownSession
        let running = try Template("/bin/sh", arguments: ["-c", "sleep 1000 & echo $!"], options: options).start(
            output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        let left = Int32(String(decoding: try await #require(output.next()), as: UTF8.self).dropLast())!
        _ = try await running.wait()
        #expect(!isGone(left))
        try running.killTree()
        try await eventually("what was left is gone") { isGone(left) }
    }

    @Test func `a graceful end still takes the tree along`() async throws {
        let running = try Template("/bin/sh", arguments: ["-c", "sleep 1000 & echo $!; wait"]).start(output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        let child = Int32(String(decoding: try await #require(output.next()), as: UTF8.self).dropLast())!
        #expect(try await running.stop().status == .signaled(Signal.terminate, coreDumped: false))
        try await eventually("the child is gone") { isGone(child) }
    }

    @Test(
        .enabled(
            if: isRoot && Files.exists("/sys/fs/cgroup/unified/cgroup.procs")
                || Files.exists("/sys/fs/cgroup/cgroup.procs")))
    func `a program is born in its cgroup, and killed through it with everything in it`() async throws {
        let root = Files.exists("/sys/fs/cgroup/unified/cgroup.procs") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup"
        let path = "\(root)/forkless-spawn-\(UInt32.random(in: .min ... .max))"
        try Files.makeDirectory(path)
        var options = Options()
        options.cgroup = SharedFD(try Files.place(path))
        // Its own session and an orphan: neither parent nor group leads to it.
        let script = "(setsid sleep 1000 &) ; cat /proc/self/cgroup; while :; do sleep 0.01; done"
        let running = try Template("/bin/sh", arguments: ["-c", script], options: options).start(output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        let cgroups = String(decoding: try await #require(output.next()), as: UTF8.self)
        #expect(cgroups.contains("0::" + path.dropFirst(root.count) + "\n"))
        try running.killTree()
        #expect(try await running.wait().status == .signaled(Signal.kill, coreDumped: false))
        try await eventually("the cgroup is empty") { try Files.readText(path + "/cgroup.procs").isEmpty }
        try Files.removeDirectory(path)
    }

    @Test func `the status line of a process is read whatever its name`() {
        #expect(ProcessStatus("12 (a) b) (c) S 7 12 12 0")! == ProcessStatus("1 (x) S 7")!)
        #expect(ProcessStatus("12 (evil ) R 1 (x) Z 42 1")?.parent == 42)
        #expect(ProcessStatus("nothing") == nil)
        #expect(ProcessStatus("12 (x) S") == nil)
    }
}
