import CBaselines
import Foundation

/// Programs that benchmarks need beside those they measure.
enum Command {
    /// Runs a program to its end; its output.
    static func output(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError("\(arguments.joined(separator: " ")) ended with status \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
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
