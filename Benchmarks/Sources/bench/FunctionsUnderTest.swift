import CBaselines
import Foundation

/// A node with functions, on a free port of the loopback interface.
final class FunctionsUnderTest {
    let directory: String
    let node: ServerProcess
    let address: String
    private let forkless: String

    init(_ options: BenchOptions, flags: [String] = ["--http-listen", "off"]) throws {
        guard geteuid() == 0 else { throw BenchmarkError("start a node with functions: this needs root") }
        directory = try KeeperUnderTest.temporaryDirectory()
        forkless = "\(options.programs)/forkless"
        let runtimes = "\(options.examples)/bench-runtimes"
        _ = try Command.output(["sh", "\(options.examples)/../../Benchmarks/Programs/get-python.sh", runtimes])
        address = "127.0.0.1:\(try Self.freePort())"
        node = try ServerProcess(
            "forkless node",
            [
                forkless, "node", "--state", "\(directory)/state", "--run", "\(directory)/run", "--lambda-listen",
                address,
                "--python-runtimes", runtimes,
            ] + flags,
            log: "\(directory)/node.log")
        try node.untilServing(verb("fn", "list"))
    }

    /// Ends the node and the keeper that it has started, which would outlive it.
    func stop() {
        node.stop()
        NodeKeepers.stop(run: "\(directory)/run")
        try? FileManager.default.removeItem(atPath: directory)
    }

    deinit { stop() }

    /// A port that nobody listens at now.
    static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> UInt16? in
                guard bind(descriptor, address, length) == 0, getsockname(descriptor, address, &length) == 0 else {
                    return nil
                }
                return 0
            }
        }
        guard port != nil else { throw BenchmarkError("find a free port") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The words of a verb for this node.
    func verb(_ words: String...) -> [String] { command(words) }

    private func command(_ words: [String]) -> [String] {
        let verbs = words.first == "fn" ? 2 : 1
        return [forkless] + words.prefix(verbs) + ["--state", "\(directory)/state", "--run", "\(directory)/run"]
            + words.dropFirst(verbs)
    }

    /// `forkless fn deploy` with these words.
    func deploy(_ words: String...) throws { try deploy(words) }

    func deploy(_ words: [String]) throws { _ = try Command.output(command(["fn", "deploy"] + words)) }

    func url(_ function: String) -> String { "http://\(address)/2015-03-31/functions/\(function)/invocations" }

    /// One call through the API: its answer's headers and body.
    @discardableResult
    func call(_ function: String, _ payload: String = "{}", tail: Bool = false) throws -> String {
        try Command.output(
            ["curl", "-sS", "--fail-with-body", "-i", "-X", "POST", "-d", payload]
                + (tail ? ["-H", "X-Amz-Log-Type: Tail"] : []) + [url(function)])
    }

    /// Changes a function, so that its next call finds no instance.
    func change(_ function: String, _ number: Int) throws {
        _ = try Command.output([
            "curl", "-sS", "--fail-with-body", "-X", "PUT", "-d", "{\"Description\":\"change \(number)\"}",
            "http://\(address)/2015-03-31/functions/\(function)/configuration",
        ])
    }

    /// What the first call of a fresh instance says of its start: from the order to start until it asked for work.
    func coldStart(_ function: String, _ number: Int) throws -> Int {
        try change(function, number)
        let answer = try call(function, tail: true)
        guard let encoded = answer.firstMatch(of: /[Xx]-[Aa]mz-[Ll]og-[Rr]esult: ([A-Za-z0-9+\/=]+)/)?.1,
            let log = Data(base64Encoded: String(encoded)).map({ String(decoding: $0, as: UTF8.self) }),
            let span = log.firstMatch(of: /Init Duration: ([0-9.]+) ms/).flatMap({ Double($0.1) })
        else { throw BenchmarkError("read the start of \(function): \(answer)") }
        return Int(span * 1e6)
    }
}
