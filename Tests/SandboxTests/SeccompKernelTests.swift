import Linux
import Spawn
import TestKit
import Testing

@testable import Sandbox

/// The kernel takes compiled filters and does what they say.
@Suite(.serialized) struct `Seccomp filters in the kernel` {
    @Test func `the standard profile answers as it says`() async throws {
        let calls: [(name: String, arguments: [UInt64], errno: Errno?)] = [
            ("getppid", [], nil),
            ("socket", [1, 1, 0], nil),
            ("socket", [38, 5, 0], .notPermitted),
            ("socket", [1 << 32 | 38, 5, 0], .notPermitted),
            ("socket", [40, 1, 0], .notPermitted),
            ("ioctl", [0, 0x5412, 0], .notPermitted),
            ("ioctl", [0, 1 << 32 | 0x5412, 0], .notPermitted),
            ("ioctl", [0, 0x5401, 0], .notTerminal),
            ("unshare", [0x1000_0000], .notPermitted),
            ("unshare", [0], .notPermitted),
            ("clone3", [0, 0], .notImplemented),
            ("io_uring_setup", [0, 0], .notPermitted),
            ("personality", [0xFFFF_FFFF], nil),
            ("personality", [0x0040_0000], .notPermitted),
        ]
        let filter = try SeccompProfile.standard.compile()
        let numbers = calls.map { [UInt64(SystemCalls.of(.native).number(of: $0.name)!)] + $0.arguments }
        let outcome = try await run(numbers, under: filter)
        #expect(outcome.status == .exited(0), "\(outcome.errors)")
        for (call, answer) in zip(calls, outcome.answers) {
            #expect(answer == call.errno, "\(call.name) \(call.arguments)")
        }
        #expect(outcome.answers.count == calls.count)
    }

    @Test func `without the filter the same calls are answered otherwise`() async throws {
        // Otherwise the test above could pass on a machine that refuses them anyway.
        let names = ["unshare", "io_uring_setup", "clone3"]
        let numbers = names.map { [UInt64(SystemCalls.of(.native).number(of: $0)!), 0, 0] }
        let outcome = try await run(numbers, under: nil)
        #expect(outcome.answers.count == 3)
        #expect(outcome.answers.first == .some(nil))  // unshare of nothing succeeds
        #expect(outcome.answers.last == .some(.invalid))
    }

    @Test func `numbers without a name get the answer for them`() async throws {
        var profile = SeccompProfile.standard
        let standard = try await run([[470], [1000], [0x3FFF_FFFF]], under: profile.compile())
        #expect(standard.answers == [.notImplemented, .notImplemented, .notImplemented])
        // The kernel itself says ENOSYS, too, so ask for something that only the filter says.
        profile.unnamedAction = .errno(Errno(77))
        profile.x32Action = .errno(Errno(78))
        let marked = try await run([[470], [1000], [0x3FFF_FFFF], [0x4000_0027]], under: profile.compile())
        let x32 = SystemCallABI.native == .x86_64 ? Errno(78) : Errno(77)
        #expect(marked.answers == [Errno(77), Errno(77), Errno(77), x32])
    }

    @Test func `arguments are compared in all 64 bits`() async throws {
        var profile = SeccompProfile(defaultAction: .allow)
        let limit: UInt64 = 5 << 32 | 7
        profile.rules = [
            SeccompRule(["getpid"], .errno(Errno(90)), when: [ArgumentCondition(0, .greater(limit))]),
            SeccompRule(
                ["getpid"], .errno(Errno(91)), when: [ArgumentCondition(5, .maskedEqual(mask: 6 << 40, 4 << 40))]),
        ]
        let number = UInt64(SystemCalls.of(.native).number(of: "getpid")!)
        let arguments: [[UInt64]] = [
            [limit], [limit + 1], [5 << 32 | 6], [8], [6 << 32], [0, 0, 0, 0, 0, 4 << 40],
            [0, 0, 0, 0, 0, 6 << 40], [0, 0, 0, 0, 0, 5 << 40],
        ]
        let outcome = try await run(arguments.map { [number] + $0 }, under: profile.compile())
        #expect(outcome.answers == [nil, Errno(90), nil, nil, Errno(90), Errno(91), nil, Errno(91)])
    }

    @Test func `a call that kills ends the program with SIGSYS`() async throws {
        let badSystemCall: Int32 = 31
        let profile = SeccompProfile(
            defaultAction: .allow, rules: [SeccompRule(["getppid"], .killProcess)])
        let number = UInt64(SystemCalls.of(.native).number(of: "getppid")!)
        let outcome = try await run([[number]], under: profile.compile())
        guard case .signaled(let signal, _) = outcome.status else {
            Issue.record("\(outcome.status)")
            return
        }
        #expect(signal == badSystemCall)
    }

    @Test func `flags reach the kernel`() async throws {
        // Unknown ones it refuses, and the error names the step.
        let filter = SeccompFilter(
            instructions: try SeccompProfile(defaultAction: .allow).compile().instructions,
            flags: SeccompFlags(rawValue: 1 << 20), skippedNames: [], rangeCount: 1)
        await #expect {
            try await run([[39]], under: filter)
        } throws: { error in
            guard let error = error as? SpawnError else { return false }
            return error.code == .invalid && error.step.hasPrefix("load the system-call filter")
        }
        let log = try SeccompProfile(defaultAction: .allow).compile(flags: [.log, .allowSpeculation])
        #expect(try await run([[39]], under: log).answers == [nil])
    }
}

private struct SystemCallRun: Sendable {
    var status: Linux.ExitStatus
    /// For every call its error, nil where it succeeded.
    var answers: [Errno?]
    var errors: String
}

/// Has a program make these calls (a number and its arguments each) under a filter, and tells what they returned.
///
/// The program is Perl, which every Debian has and which can make any system call; like every program under
/// the filter it first has to start.
private func run(_ calls: [[UInt64]], under filter: SeccompFilter?) async throws -> SystemCallRun {
    try await BlockingPool.shared.run { Result { try runBlocking(calls, under: filter) } }.get()
}

private let perl = """
    $| = 1;
    for (@ARGV) {
        my @call = map { $_ + 0 } split /,/;
        my $result = syscall(shift @call, @call);
        print $result == -1 ? $! + 0 : 0, "\\n";
    }
    """

private func runBlocking(_ calls: [[UInt64]], under filter: SeccompFilter?) throws -> SystemCallRun {
    var pipe = try Files.pipe()
    let reader = pipe.takeReader()
    let status = try startAndReap(calls, under: filter, output: pipe.takeWriter())
    // A few numbers: the pipe holds them until the program has ended.
    let text = String(decoding: try Files.readAll(reader.raw), as: UTF8.self)
    let lines = text.split(separator: "\n")
    return SystemCallRun(
        status: status,
        answers: lines.compactMap { CInt($0) }.map { $0 == 0 ? nil : Errno($0) },
        errors: lines.filter { CInt($0) == nil }.joined(separator: "\n"))
}

private func startAndReap(
    _ calls: [[UInt64]], under filter: SeccompFilter?, output: consuming OwnedFD
) throws -> Linux.ExitStatus {
    let input = try Files.open("/dev/null", 0)
    var program = StepProgram()
    let inputSlot = program.slot(input.raw)
    let outputSlot = program.slot(output.raw)
    program.add(.unshareFiles(lowest: 3))
    program.add(.duplicate(inputSlot, to: 0))
    program.add(.duplicate(outputSlot, to: 1))
    program.add(.duplicate(outputSlot, to: 2))
    program.add(.noNewPrivileges)
    if let filter { program.add(.seccomp(filter.bytes, flags: filter.flags.rawValue)) }
    program.add(.execute(nil))
    // All six arguments: what a program leaves out is whatever the register holds, and the filter sees it.
    let words = calls.map { ($0 + [UInt64](repeating: 0, count: 7 - $0.count)).map(String.init).joined(separator: ",") }
    let call = ProgramCall(
        path: "/usr/bin/perl", arguments: StringBlock(["perl", "-e", perl, "--"] + words),
        environment: StringBlock(["PATH=/usr/bin:/bin", "LC_ALL=C"]))
    var launched = try CompiledProgram(program).start(call)
    let process = ProcessFD(adopting: launched.takePidfd())
    return try process.reapBlocking().status
}
