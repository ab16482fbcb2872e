import CBaselines
import Foundation

/// A keeper of this run's own, in directories that go with it.
final class KeeperUnderTest {
    let directory: String
    let pid: pid_t
    private let options: BenchOptions
    private let cgroupParent: String
    private var isRunning = true

    init(_ options: BenchOptions) throws {
        guard geteuid() == 0 else { throw BenchmarkError("start a keeper with sandboxes: this needs root") }
        self.options = options
        directory = try Self.temporaryDirectory()
        cgroupParent = "forkless-bench-\(getpid())"
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let arguments = ArgumentVector([
            "\(options.programs)/forkless-keeper", "--socket", "\(directory)/keeper.sock", "--run", directory,
            "--cgroup-parent", cgroupParent,
        ])
        pid = baseline_start(arguments.pointer, null, null, 2)
        guard pid > 0 else { throw BenchmarkError("start forkless-keeper: \(String(cString: strerror(-pid)))") }
    }

    /// A client of this keeper, in a process of its own.
    func client() throws -> LoadClient { try LoadClient(options, socket: "\(directory)/keeper.sock") }

    /// A line of /proc/PID/status, in bytes.
    func memory(_ field: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        guard
            let kilobytes = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
                Int($0)
            })
        else { throw BenchmarkError("read \(field) of the keeper") }
        return kilobytes << 10
    }

    /// Ends the keeper and checks that nothing is left of it.
    func stop() throws {
        guard isRunning else { return }
        isRunning = false
        kill(pid, SIGTERM)
        let status = baseline_wait(pid)
        guard status == 0 else { throw BenchmarkError("the keeper ended with \(status)") }
        let left = try FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup").filter {
            FileManager.default.fileExists(atPath: "/sys/fs/cgroup/\($0)/\(cgroupParent)")
        }
        guard left.isEmpty else { throw BenchmarkError("the keeper left its cgroups in \(left)") }
        try FileManager.default.removeItem(atPath: directory)
    }

    deinit {
        guard isRunning else { return }
        kill(pid, SIGTERM)
        _ = baseline_wait(pid)
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/forkless-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchmarkError("make a temporary directory") }
        return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}

/// A forkless-load: what speaks the keeper's protocol, from the package that knows it.
final class LoadClient {
    private let pid: pid_t
    private let requests: UnsafeMutablePointer<FILE>
    private let answers: UnsafeMutablePointer<FILE>

    init(_ options: BenchOptions, socket: String) throws {
        let (input, toClient) = try makePipe()
        let (fromClient, output) = try makePipe()
        defer {
            close(input)
            close(output)
        }
        // The keeper makes its socket when it is ready for clients.
        for _ in 0..<1000 where !FileManager.default.fileExists(atPath: socket) { usleep(5000) }
        usleep(20_000)
        let arguments = ArgumentVector(["\(options.programs)/forkless-load", socket])
        pid = baseline_start(arguments.pointer, input, output, 2)
        requests = fdopen(toClient, "w")
        answers = fdopen(fromClient, "r")
        guard pid > 0 else { throw BenchmarkError("start forkless-load: \(String(cString: strerror(-pid)))") }
        _ = try answer()
    }

    deinit {
        fclose(requests)
        fclose(answers)
        _ = baseline_wait(pid)
    }

    /// Asks and waits for the answer.
    @discardableResult
    func ask(_ words: String...) throws -> [String] {
        try send(words)
        return try answer()
    }

    /// The same where the answer is numbers.
    func numbers(_ words: [String]) throws -> [Int] {
        try send(words)
        return try numbers()
    }

    func numbers() throws -> [Int] { try answer().map { Int($0)! } }

    func send(_ words: [String]) throws {
        guard fputs(words.joined(separator: "\t") + "\n", requests) >= 0, fflush(requests) == 0 else {
            throw BenchmarkError("forkless-load has ended")
        }
    }

    private func answer() throws -> [String] {
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        guard getline(&line, &room, answers) > 0, let line else { throw BenchmarkError("forkless-load has ended") }
        let words = String(cString: line).dropLast().split(separator: "\t").map(String.init)
        guard words.first == "ok" else {
            throw BenchmarkError("forkless-load: \(words.dropFirst().joined(separator: " "))")
        }
        return Array(words.dropFirst())
    }
}

/// A directory that serves as root file system: the smallest programs and the places for mounts.
struct SmallRoot {
    let path: String

    init(in directory: String, _ options: BenchOptions) throws {
        path = "\(directory)/root"
        for place in ["proc", "dev", "tmp", "sys"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(place)", withIntermediateDirectories: true)
        }
        for program in ["noop", "waiting"] {
            try FileManager.default.copyItem(atPath: "\(options.examples)/\(program)", toPath: "\(path)/\(program)")
        }
    }
}
