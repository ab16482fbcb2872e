import CBaselines
import Foundation

/// A call to a program that already waits in its first read: through the keeper, isolated, and with nothing around it.
struct StandbyBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    /// A program, as it is called outside and in the sandbox, and its input.
    private struct Work {
        var name: String
        var outside: [String]
        var inside: [String]
        var input: String
    }

    func run() async throws -> Section {
        let keeper = try KeeperUnderTest(options)
        let client = try keeper.client()
        let template = try client.ask("define", "host", options.examples)[0]
        var section = Section(title: "A standby call: from handing over the input to the exit, output read")
        for work in try works() {
            let input = "\(keeper.directory)/input"
            try Data(work.input.utf8).write(to: URL(fileURLWithPath: input))
            let plain = PlainStandby(work.outside, input: Array(work.input.utf8))
            var hashes: Set<Int> = []
            let count = options.count(10, quick: 3)
            let samples = try await takeTurns(
                [
                    Contender(name: "\(work.name), isolated", count: count) { count in
                        let answer = try client.numbers(["standby", template, "\(count)", input] + work.inside)
                        hashes.insert(answer.last!)
                        return answer.dropLast()
                    },
                    Contender(name: "\(work.name), plain", count: count) { count in
                        try (0..<count).map { _ in
                            let (time, hash) = try plain.call()
                            hashes.insert(hash)
                            return time
                        }
                    },
                ], rounds: options.count(12, quick: 3))
            guard hashes.count == 1 else {
                throw BenchmarkError("\(work.name) answered differently inside and outside")
            }
            section.samples += samples
            section.findings.append(
                .slowness(
                    "a standby call of \(work.name) over the program's own time", samples[0], over: samples[1],
                    atMost: 1.3))
        }
        try keeper.stop()
        return section
    }

    private func works() throws -> [Work] {
        let trades = try Command.output(["\(options.examples)/make-trades", "1", "1"])
        let numbers = (0..<20_000).map { "\($0 * 7919 % 10_007)" }.joined(separator: "\n") + "\n"
        let objects = (0..<1000).map { "{\"id\":\($0),\"price\":\($0 * 31 % 977)}" }.joined(separator: ",")
        func same(_ name: String, _ command: [String], _ input: String) -> Work {
            Work(name: name, outside: command, inside: command, input: input)
        }
        return [
            Work(
                name: "pricer", outside: ["\(options.examples)/pricer"], inside: ["/programs/pricer"], input: trades),
            same("jq", ["/usr/bin/jq", "-c", "map(.price) | add"], "[\(objects)]"),
            same("python3", ["/usr/bin/python3", "-c", "import sys; print(sum(map(int, sys.stdin)))"], numbers),
        ]
    }
}

/// The same by the plainest means: posix_spawn, pipes, waitpid.
struct PlainStandby {
    private let arguments: ArgumentVector
    private let name: String
    private let input: [UInt8]

    init(_ arguments: [String], input: [UInt8]) {
        self.arguments = ArgumentVector(arguments)
        name = arguments[0]
        self.input = input
    }

    /// How long the call took, and a hash of the output.
    func call() throws -> (nanoseconds: Int, hash: Int) {
        let (programInput, toProgram) = try makePipe()
        let (fromProgram, output) = try makePipe()
        let (errorReader, errors) = try makePipe()
        let pid = baseline_start(arguments.pointer, programInput, output, errors)
        for end in [programInput, output, errors] { close(end) }
        defer { for end in [fromProgram, errorReader] { close(end) } }
        guard pid > 0 else { throw BenchmarkError("start \(name): \(String(cString: strerror(-pid)))") }
        try awaitFirstRead(pid)
        let begin = now()
        var done = 0
        while done < input.count {
            let count = input.withUnsafeBytes { write(toProgram, $0.baseAddress! + done, input.count - done) }
            guard count > 0 else { throw BenchmarkError("write to \(name)") }
            done += count
        }
        close(toProgram)
        let answer = Self.readAll(fromProgram)
        let status = baseline_wait(pid)
        let took = now() - begin
        guard status == 0 else { throw BenchmarkError("\(name) ended with \(status)") }
        return (took, Self.hash(answer))
    }

    /// proc_pid_syscall(5): the number of read(2) and descriptor 0.
    private func awaitFirstRead(_ pid: pid_t) throws {
        #if arch(x86_64)
            let reading = "0 0x0 "
        #else
            let reading = "63 0x0 "
        #endif
        for _ in 0..<10_000 {
            if try String(contentsOfFile: "/proc/\(pid)/syscall", encoding: .utf8).hasPrefix(reading) { return }
            usleep(1000)
        }
        throw BenchmarkError("after 10 s \(name) does not read its standard input")
    }

    private static func readAll(_ fd: CInt) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = read(fd, &chunk, chunk.count)
            if count <= 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// As forkless-load does it: FNV-1a in 62 bits.
    private static func hash(_ bytes: [UInt8]) -> Int {
        Int(bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 } >> 2)
    }
}
