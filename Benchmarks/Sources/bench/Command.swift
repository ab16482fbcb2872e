import CBaselines
import Foundation

/// Programs that benchmarks need beside those they measure.
enum Command {
    /// Runs a program to its end; its output.
    ///
    /// - Parameter seconds: when it is killed and counts as failed.
    static func output(_ arguments: [String], within seconds: Int = 600) throws -> String {
        let program = try BackgroundCommand(arguments)
        return try program.result(within: seconds)
    }
}

/// A program that runs beside what is measured.
final class BackgroundCommand {
    private let name: String
    private let pid: pid_t
    private let output: FileHandle
    private let errors: FileHandle
    private var isRunning = true

    init(_ arguments: [String]) throws {
        name = arguments.joined(separator: " ")
        output = try Self.temporaryFile()
        errors = try Self.temporaryFile()
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(null) }
        let words = ArgumentVector(["/usr/bin/env"] + arguments)
        let (output, errors) = (output.fileDescriptor, errors.fileDescriptor)
        pid = withExtendedLifetime(words) { baseline_start(words.pointer, null, output, errors) }
        guard pid > 0 else { throw BenchmarkError("start \(name): \(String(cString: strerror(-pid)))") }
    }

    /// Whoever forgets it ends it.
    deinit {
        guard isRunning else { return }
        kill(pid, SIGKILL)
        _ = baseline_wait(pid)
    }

    /// Tells it to end; its output.
    func end(_ signal: Int32, within seconds: Int) throws -> String {
        kill(pid, signal)
        return try result(within: seconds)
    }

    /// Waits for its end; its output.
    func result(within seconds: Int) throws -> String {
        let pid = pid
        let limit = DispatchWorkItem { kill(pid, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds), execute: limit)
        let begin = now()
        let status = baseline_wait(pid)
        limit.cancel()
        isRunning = false
        guard status == 0 else {
            let isLate = status & 0x7f == SIGKILL && now() - begin >= seconds * 1_000_000_000
            let end =
                isLate
                ? "was not done within \(seconds) s"
                : "ended with status \(status >> 8 & 0xff), signal \(status & 0x7f)"
            throw BenchmarkError("\(name) \(end): \(text(errors))")
        }
        return text(output)
    }

    private func text(_ file: FileHandle) -> String {
        try? file.seek(toOffset: 0)
        let data = (try? file.readToEnd()) ?? nil
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    /// A file without a name, so that no pipe has to be read while the program runs.
    private static func temporaryFile() throws -> FileHandle {
        guard let file = tmpfile() else {
            throw BenchmarkError("make a temporary file: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        let descriptor = fcntl(fileno(file), F_DUPFD_CLOEXEC, 3)
        guard descriptor >= 0 else {
            throw BenchmarkError("keep a temporary file: \(String(cString: strerror(errno)))")
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

/// argv in memory, made once, so that making it is in nobody's time.
final class ArgumentVector {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ arguments: [String]) {
        count = arguments.count
        pointer = .allocate(capacity: count + 1)
        for (index, argument) in arguments.enumerated() { pointer[index] = strdup(argument) }
        pointer[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }
}

/// Two ends of a pipe that no child inherits by accident.
func makePipe() throws -> (reader: CInt, writer: CInt) {
    var ends: [CInt] = [-1, -1]
    let result = baseline_pipe(&ends)
    guard result == 0 else { throw BenchmarkError("make a pipe: \(String(cString: strerror(-result)))") }
    return (ends[0], ends[1])
}
