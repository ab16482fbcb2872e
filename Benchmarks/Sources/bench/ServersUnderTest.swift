import CBaselines
import Foundation

/// A server of this run's own.
final class ServerProcess {
    let pid: pid_t
    private let name: String

    init(_ name: String, _ arguments: [String], log: String) throws {
        self.name = name
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer {
            close(null)
            close(output)
        }
        let words = ArgumentVector(arguments)
        pid = withExtendedLifetime(words) { baseline_serve(words.pointer, null, output) }
        guard pid > 0 else { throw BenchmarkError("start \(name): \(String(cString: strerror(-pid)))") }
    }

    deinit { stop() }

    private var isRunning = true

    /// Ends it and waits for that; then its workers, which some servers leave behind.
    func stop() {
        guard isRunning else { return }
        isRunning = false
        kill(pid, SIGTERM)
        // One that does not end holds nobody up.
        let pid = pid
        let limit = DispatchWorkItem { kill(pid, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(30), execute: limit)
        _ = baseline_wait(pid)
        limit.cancel()
        kill(-pid, SIGKILL)
    }

    /// Waits until a client gets an answer.
    func untilServing(_ question: [String]) throws {
        for _ in 0..<600 {
            if (try? Command.output(question)) != nil { return }
            usleep(50_000)
        }
        throw BenchmarkError("\(name) does not serve")
    }

    /// A line of /proc/PID/status, in bytes.
    func memory(_ field: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        guard let words = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }), words.count > 1,
            let kilobytes = Int(words[1])
        else { throw BenchmarkError("read \(field) of \(name)") }
        return kilobytes << 10
    }
}

/// A node and Docker's daemon beside each other, with their directories on one file system.
final class ServersUnderTest {
    let directory: String
    let node: ServerProcess
    let docker: ServerProcess
    private let forkless: String

    init(_ options: BenchOptions) throws {
        guard geteuid() == 0 else { throw BenchmarkError("start a node and Docker's daemon: this needs root") }
        directory = try KeeperUnderTest.temporaryDirectory()
        forkless = "\(options.programs)/forkless"
        node = try ServerProcess(
            "forkless node",
            // With a network namespace of its own: its bridge and rules are nobody else's.
            [
                "/usr/bin/unshare", "--net", "/bin/sh", "-c", "ip link set lo up; exec \"$@\"", "sh", forkless, "node",
                "--state", "\(directory)/state", "--run", "\(directory)/run",
            ],
            log: "\(directory)/node.log")
        docker = try ServerProcess(
            "dockerd",
            [
                "/usr/bin/unshare", "--mount", "--propagation", "private", "dockerd", "--data-root",
                "\(directory)/docker",
                "--exec-root", "\(directory)/exec", "--pidfile", "\(directory)/docker.pid", "--host",
                "unix://\(directory)/docker.sock", "--bridge", "none", "--iptables=false", "--ip-forward=false",
            ], log: "\(directory)/docker.log")
        try node.untilServing(forkless("version"))
        try docker.untilServing(docker("version"))
    }

    /// Ends both, and the keeper that the node has started, which would outlive it.
    func stop() {
        node.stop()
        docker.stop()
        NodeKeepers.stop(run: "\(directory)/run")
        try? FileManager.default.removeItem(atPath: directory)
    }

    deinit { stop() }

    /// What node and keeper have in memory, in bytes.
    func memory() throws -> Int { try NodeKeepers.memory(of: node, run: "\(directory)/run") }

    /// The words of a verb for this node.
    func forkless(_ words: String...) -> [String] {
        [forkless] + words.prefix(1) + ["--state", "\(directory)/state", "--run", "\(directory)/run"]
            + words.dropFirst()
    }

    func docker(_ words: String...) -> [String] {
        ["/usr/bin/docker", "--host", "unix://\(directory)/docker.sock"] + words
    }
}
