import Glibc
import Linux
import TestKit
import Testing

@Suite struct TimestampTextTests {
    /// Seconds, nanoseconds, and what `date -u -d @SECONDS` says.
    static let dates: [(Int, Int, String)] = [
        (0, 0, "1970-01-01T00:00:00.000000000Z"), (0, 1, "1970-01-01T00:00:00.000000001Z"),
        (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999999Z"),
        (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
        (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"), (1_000_000_000, 0, "2001-09-09T01:46:40.000000000Z"),
        (1_709_164_800, 0, "2024-02-29T00:00:00.000000000Z"), (1_735_689_599, 0, "2024-12-31T23:59:59.000000000Z"),
        (2_147_483_648, 123_456_789, "2038-01-19T03:14:08.123456789Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
        (-1, 0, "1969-12-31T23:59:59.000000000Z"), (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
        (-86_400, 0, "1969-12-31T00:00:00.000000000Z"), (-2_208_988_800, 0, "1900-01-01T00:00:00.000000000Z"),
    ]

    @Test(arguments: dates) func `a time is written as date writes it`(seconds: Int, nanoseconds: Int, text: String) {
        #expect(Timestamp(nanoseconds: seconds * 1_000_000_000 + nanoseconds).description == text)
    }

    @Test func `the ends of the range are written`() {
        #expect(Timestamp(nanoseconds: .max).description == "2262-04-11T23:47:16.854775807Z")
        #expect(Timestamp(nanoseconds: .min).description == "1677-09-21T00:12:43.145224192Z")
    }

    @Test func `the clocks go on`() {
        let first = Clock.monotonicNanoseconds()
        #expect(Clock.monotonicNanoseconds() >= first)
        #expect(Clock.now().description > "2024")
    }
}

@Suite struct SignalTests {
    @Test(arguments: [("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("15", 15), ("kill", 9), ("HUP", 1), ("64", 64)])
    func `a signal is known by name and number`(text: String, number: Int32) {
        #expect(Signal.number(of: text) == number)
    }

    @Test(arguments: ["", "SIG", "0", "65", "-9", "TERMINATE", "SIGSIGTERM", "9.0"])
    func `what is no signal has no number`(text: String) {
        #expect(Signal.number(of: text) == nil)
    }

    @Test func `every number has a name that leads back to it`() {
        for number in Int32(1)...31 { #expect(Signal.number(of: Signal.name(of: number)) == number) }
        #expect(Signal.name(of: 15) == "SIGTERM")
        #expect(Signal.name(of: 40) == "signal 40")
    }

    @Test func `a mask has bit n minus 1 for signal n`() {
        #expect(Signal.mask([]) == 0)
        #expect(Signal.mask([1, 9, 64]) == 0x8000_0000_0000_0101)
    }

    @Test func `the names are those of the shell`() async throws {
        let listing = try await CommandRunner.run(["/bin/bash", "-c", "for n in $(seq 1 31); do kill -l $n; done"])
        let names = listing.text.split(separator: "\n").map { "SIG" + $0 }
        #expect((Int32(1)...31).map(Signal.name(of:)) == names)
    }
}

@Suite struct SystemErrorTests {
    @Test func `the sentence says what was tried, on what, why, and what to do`() {
        let error = SystemError("mount proc on", "/proc", code: .notPermitted)
        #expect(error.description == "mount proc on /proc: Operation not permitted (EPERM)")
        #expect(
            SystemError("make a pipe", code: .tooManyOpenFiles).description
                == "make a pipe: Too many open files (EMFILE)")
        let advised = SystemError("open", "/x", code: .noEntry, advice: "Make it first.")
        #expect(advised.description == "open /x: No such file or directory (ENOENT). Make it first.")
    }

    @Test func `a number without a name is a number`() {
        #expect(Errno(9999).name == "errno 9999")
        #expect(Errno(EPERM) == .notPermitted)
    }

    @Test func `a call that fails names itself and an interrupted one is made again`() throws {
        let error = #expect(throws: SystemError.self) { try Linux.call("try", "it") { -Int(EBUSY) } }
        #expect(error == SystemError("try", "it", code: .busy))
        var results = [-Int(EINTR), -Int(EINTR), 7]
        #expect(try Linux.call("try") { results.removeFirst() } == 7)
    }

    @Test func `a bad address is a programmer error`() async {
        await #expect(processExitsWith: .failure) { try Linux.call("try") { -Int(EFAULT) } }
    }
}

@Suite struct CapabilitiesTests {
    @Test func `names are read in every spelling and written in one`() {
        #expect(Capabilities(name: "CAP_CHOWN") == Capabilities(rawValue: 1))
        #expect(Capabilities(name: "cap_chown") == Capabilities(name: "Chown"))
        #expect(Capabilities(names: ["SYS_ADMIN", "KILL"])?.memberNames == ["KILL", "SYS_ADMIN"])
        #expect(Capabilities(name: "ALL") == .all)
        #expect(Capabilities(names: []) == [])
        for name in ["", "CAP_", "CAP_CAP_CHOWN", "ROOT"] { #expect(Capabilities(name: name) == nil) }
        #expect(Capabilities(names: ["CHOWN", "NOTHING"]) == nil)
    }

    @Test func `the numbers are the kernel's`() throws {
        // linux/capability.h
        let numbers = ["CHOWN": 0, "NET_ADMIN": 12, "SYS_ADMIN": 21, "AUDIT_WRITE": 29, "CHECKPOINT_RESTORE": 40]
        for (name, number) in numbers { #expect(Capabilities(name: name)?.rawValue == 1 << UInt64(number)) }
        #expect(try Capabilities.lastOfKernel() >= 40)
    }

    @Test func `Docker's default is the documented set`() {
        // The mask that a process in a container of Docker's shows in /proc/self/status.
        #expect(Capabilities.dockerDefault.rawValue == 0xA804_25FB)
    }

    @Test func `the permitted set is that of proc`() throws {
        let line = try #require(
            try Files.readText("/proc/thread-self/status").split(separator: "\n").first { $0.hasPrefix("CapPrm:") })
        let mask = try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
        #expect(try Capabilities.permitted().rawValue == mask)
    }
}
