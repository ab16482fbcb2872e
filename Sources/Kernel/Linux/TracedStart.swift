import CKernel
import Glibc
import Synchronization

/// A child that waits to be traced before it executes its program: no call of it is missed.
package struct TracedStart: ~Copyable {
    package let pid: Int32
    private var go: OwnedFD?
    private let report: OwnedFD

    /// Forks the child. It has this process's descriptors that are not closed by an exec, its directory and its group.
    ///
    /// - Parameters:
    ///   - environment: as "NAME=VALUE".
    ///   - filter: a filter of system calls in the kernel's form (8 bytes an instruction); it is loaded right before the exec.
    /// - Throws: `SystemError`. The strings hold no NUL, or it is a programmer error.
    package init(
        path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]], filter: [UInt8] = []
    ) throws(SystemError) {
        let (reader, writer) = try Files.pipe().ends()
        let (reports, reporter) = try Files.pipe().ends()
        let texts = ([path] + arguments + environment).map { text in
            precondition(!text.contains(0), "an argument of a program holds no NUL")
            return strdup(text.map { CChar(bitPattern: $0) } + [0])
        }
        defer { for text in texts { free(text) } }
        let argumentVector = Array(texts[1..<(1 + arguments.count)]) + [nil]
        let environmentVector = Array(texts[(1 + arguments.count)...]) + [nil]
        // Nothing is delivered to the child before it has put things right; no signal is blocked in the program.
        var before: UInt64 = 0
        _ = ck_sigprocmask(SIG_SETMASK, .max, &before)
        defer { _ = ck_sigprocmask(SIG_SETMASK, before, nil) }
        let forked = Int32(
            try call("fork") {
                filter.withUnsafeBytes { filter in
                    ck_start_traced(
                        texts[0], argumentVector, environmentVector, 0, filter.isEmpty ? nil : filter.baseAddress,
                        UInt16(filter.count / 8), reader.raw, reporter.raw, writer.raw)
                }
            })
        // When these fail the child reads the end of its pipe, and leaves.
        let go = try Descriptors.duplicate(writer.raw)
        let report = try Descriptors.duplicate(reports.raw)
        self.init(pid: forked, go: go, report: report)
    }

    private init(pid: Int32, go: consuming OwnedFD, report: consuming OwnedFD) {
        self.pid = pid
        self.go = consume go
        self.report = report
    }

    /// Lets the child execute its program.
    package mutating func release() throws(SystemError) {
        let writer = go.take()!
        try Files.writeAll([1], to: writer.raw, name: "a child that waits")
    }

    /// Why the program could not be executed, once the child has executed it or ended; nil: it runs.
    package borrowing func failure() throws(SystemError) -> Errno? {
        let bytes = try Files.readSome(report.raw, count: 4, name: "a child that starts")
        guard bytes.count == 4 else { return nil }
        return Errno(bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) })
    }
}

/// Wakes a thread that waits for its children and tracees: a child of that thread, which ends when it is told to.
///
/// A signal could come right before the wait and be lost; the end of a child waits until it is seen.
package final class WaitWaker: Sendable {
    /// The child; who waits sees its end, once.
    package let pid: Int32
    private let writer: Mutex<SharedFD?>

    /// To be made on the thread that waits.
    package init() throws(SystemError) {
        let (reader, writer) = try Files.pipe().ends()
        let (end, other) = (reader.raw, writer.raw)
        pid = Int32(try call("fork") { ck_fork_until_closed(end, other) })
        self.writer = Mutex(writer)
    }

    /// Has the child end. Any thread may call it, any number of times.
    package func wake() { writer.withLock { $0 = nil } }
}
