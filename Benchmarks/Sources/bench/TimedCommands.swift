import CBaselines
import Foundation

/// Starts commands through `timed`, a program that is small and stands in a mount namespace of this run's.
final class TimedCommands {
    /// One start: how long, and the most memory that it and its children had at once, each.
    struct Outcome {
        var nanoseconds: Int
        var kilobytes: Int
    }

    private let pid: pid_t
    private let requests: UnsafeMutablePointer<FILE>
    private let answers: UnsafeMutablePointer<FILE>

    /// Of a machine that has cgroup v1 and v2 at once only v1 is left in that namespace: crun runs with one of them.
    private static let alone = """
        grep -q ' cgroup ' /proc/self/mounts && while read -r _ place kind _; do
            [ "$kind" != cgroup2 ] || umount "$place" || exit 1
        done < /proc/self/mounts
        exec "$0"
        """

    init(_ options: BenchOptions) throws {
        let (input, toProgram) = try makePipe()
        let (fromProgram, output) = try makePipe()
        defer {
            close(input)
            close(output)
        }
        let words = ArgumentVector([
            "/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", Self.alone,
            "\(options.examples)/timed",
        ])
        pid = withExtendedLifetime(words) { baseline_start(words.pointer, input, output, 2) }
        requests = fdopen(toProgram, "w")
        answers = fdopen(fromProgram, "r")
        guard pid > 0 else { throw BenchmarkError("start timed: \(String(cString: strerror(-pid)))") }
    }

    deinit {
        fclose(requests)
        fclose(answers)
        _ = baseline_wait(pid)
    }

    /// Runs a command so many times; "{}" in its words is a number that is new each time.
    @discardableResult
    func run(_ command: [String], times: Int = 1) throws -> [Outcome] {
        let request = (["\(times)"] + command).joined(separator: "\t")
        guard fputs(request + "\n", requests) >= 0, fflush(requests) == 0 else {
            throw BenchmarkError("timed has ended")
        }
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        guard getline(&line, &room, answers) > 0, let line else { throw BenchmarkError("timed has ended") }
        let answer = String(cString: line).dropLast().split(separator: "\t")
        if let failure = answer.last, failure.hasPrefix("failed") {
            throw BenchmarkError("\(command.joined(separator: " ")): \(failure)")
        }
        return try answer.map { pair in
            let numbers = pair.split(separator: ":").compactMap { Int($0) }
            guard numbers.count == 2 else { throw BenchmarkError("timed answers \(pair)") }
            return Outcome(nanoseconds: numbers[0], kilobytes: numbers[1])
        }
    }
}
