import Foundation

/// A node with its Kubernetes door, in a network namespace of its own: its addresses, bridge and rules are nobody else's, and
/// are gone with it, whatever happened.
final class ClusterUnderTest {
    private let options: BenchOptions
    private let directory: String
    private let forkless: String
    /// Holds the network namespace.
    private let holder: ServerProcess
    private var node: ServerProcess?
    private var kubeconfig: String { "\(directory)/kubeconfig" }

    static let api = "https://127.0.0.1:6443"
    static let ingressPort = 7080

    init(_ options: BenchOptions) throws {
        guard geteuid() == 0 else { throw BenchmarkError("run pods: this needs root") }
        self.options = options
        forkless = "\(options.programs)/forkless"
        directory = try KeeperUnderTest.temporaryDirectory()
        holder = try ServerProcess(
            "a network namespace", ["/usr/bin/unshare", "--net", "/bin/sleep", "infinity"],
            log: "\(directory)/holder.log")
        let own = Self.namespace("self")
        for _ in 0..<5000 where Self.namespace("\(holder.pid)") == own { usleep(1000) }
        guard let other = Self.namespace("\(holder.pid)"), other != own else {
            throw BenchmarkError("make a network namespace: see \(directory)/holder.log")
        }
        _ = try Command.output(inside(["ip", "link", "set", "lo", "up"]), within: 10)
    }

    private static func namespace(_ process: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
    }

    deinit { remove() }

    /// The words of a command that runs where the node does.
    func inside(_ words: [String]) -> [String] { Self.entering(holder.pid) + words }

    /// Words before a command that runs in the network of a process.
    static func entering(_ pid: pid_t) -> [String] { ["/usr/bin/nsenter", "--net=/proc/\(pid)/ns/net"] }

    // The node.

    private var run: String { "\(directory)/run" }
    private var places: [String] { ["--state", "\(directory)/state", "--run", run] }

    /// Starts the node and waits until it is ready; how long that took, in nanoseconds.
    @discardableResult
    func start() throws -> Int {
        let begin = now()
        node = try ServerProcess(
            "forkless node",
            inside([forkless, "node"] + places + ["--lambda-listen", "off", "--http-listen", "off"]),
            log: "\(directory)/node.log")
        while now() - begin < 30_000_000_000 {
            let question = inside(["curl", "-sk", "--max-time", "5", "\(Self.api)/readyz"])
            if (try? Command.output(question, within: 10)) == "ok" { return now() - begin }
            usleep(1000)
        }
        throw failure("the node is not ready after 30 s")
    }

    /// What went wrong, with the last lines of the node's log, which is removed with the rest.
    private func failure(_ text: String) -> BenchmarkError {
        let log = (try? String(contentsOfFile: "\(directory)/node.log", encoding: .utf8)) ?? ""
        return BenchmarkError(
            "\(text). The node's log ends with:\n\(log.split(separator: "\n").suffix(20).joined(separator: "\n"))")
    }

    /// Ends the node and its keeper. The state stays.
    func stop() {
        node?.stop()
        node = nil
        NodeKeepers.stop(run: run)
    }

    /// Ends everything and removes it.
    private func remove() {
        stop()
        holder.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func memory() throws -> Int {
        guard let node else { throw BenchmarkError("read the memory of a node that does not run") }
        return try NodeKeepers.memory(of: node, run: run)
    }

    /// Makes clients and the image `web:1` known.
    func configure() throws {
        let text = try Command.output(inside([forkless, "kubeconfig"] + places), within: 30)
        try Data(text.utf8).write(to: URL(fileURLWithPath: kubeconfig))
        let image = try SmallImage(at: "\(directory)/web.tar", options, name: "web:1", programs: ["web", "noop"])
        _ = try Command.output(inside([forkless, "load"] + places + ["-i", image.path]), within: 60)
    }

    // Its clients.

    /// A part of kube.py.
    ///
    /// - Parameter seconds: how long it may take; beyond that the error says what it was waiting for.
    func kube(_ what: String, _ count: Int = 1, within seconds: Int) throws -> [String: Any] {
        let words = inside(["/usr/bin/python3", program("kube.py"), what, kubeconfig, "\(count)", "\(seconds)"])
        let text: String
        do { text = try Command.output(words, within: seconds + 10) } catch {
            throw failure("kube.py \(what) \(count): \(error)")
        }
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw BenchmarkError("read what kube.py says of \(what): \(text)")
        }
        return object
    }

    /// Times that a part of kube.py has measured, in nanoseconds.
    func times(_ name: String, in object: [String: Any]) throws -> [Int] {
        guard let times = object[name] as? [Int], !times.isEmpty else {
            throw BenchmarkError("kube.py: no samples of \(name)")
        }
        return times
    }

    func program(_ name: String) -> String { "\(options.examples)/../../Benchmarks/Programs/\(name)" }

    /// A load generator that was built for this.
    func built(_ name: String) -> String { "\(options.examples)/\(name)" }
}
