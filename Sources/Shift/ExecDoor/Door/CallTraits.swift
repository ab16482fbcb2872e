package import Linux

/// What a program is born with beside arguments, environment and streams, as the kernel tells it of the waiting shim.
package struct CallTraits: Hashable, Sendable {
    package var umask: UInt32 = 0o022
    /// Real, effective, saved; an effective id that differs from the real one marks a caller of raised rights.
    package var users: [UInt32] = []
    package var groups: [UInt32] = []
    /// Supplementary groups.
    package var supplementary: [UInt32] = []
    package var ignoredSignals: UInt64 = 0
    package var noNewPrivileges = false
    /// 0: no filter of system calls.
    package var filterMode = 0
    /// Effective capabilities.
    package var capabilities: UInt64 = 0
    package var nice: Int32 = 0
    package var processGroup: Int32 = 0
    package var session: Int32 = 0
    /// The number of the controlling terminal; 0: none.
    package var terminal: Int32 = 0
    package var parent: Int32 = 0
    /// sched(7); 0: the usual one.
    package var policy: Int32 = 0
    /// "R", "S", "T" ...
    package var state: UInt8 = 0

    /// Reads them, proc_pid_status(5) and proc_pid_stat(5).
    package init(pid: Int32) throws(SystemError) {
        let status = try Files.read("/proc/\(pid)/status")
        let stat = try Files.read("/proc/\(pid)/stat")
        self.init(status: status, stat: stat)
    }

    /// From the texts of both files; as bytes, since a call waits for it.
    package init(status: [UInt8], stat: [UInt8]) {
        for line in status.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            take(line[..<colon], line[(colon + 1)...])
        }
        // The name stands in parentheses and may hold anything: the fields begin after the last one.
        guard let close = stat.lastIndex(of: UInt8(ascii: ")")) else { return }
        let fields = DigitText.words(of: stat[(close + 1)...])
        guard fields.count > 16 else { return }
        state = fields[0].first ?? 0
        parent = DigitText.number(fields[1]) ?? 0
        processGroup = DigitText.number(fields[2]) ?? 0
        session = DigitText.number(fields[3]) ?? 0
        terminal = DigitText.number(fields[4]) ?? 0
        nice = DigitText.number(fields[16]) ?? 0
        if fields.count > 38 { policy = DigitText.number(fields[38]) ?? 0 }
    }

    private mutating func take(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
        func `is`(_ name: StaticString) -> Bool {
            key.count == name.utf8CodeUnitCount && name.withUTF8Buffer { key.elementsEqual($0) }
        }
        func numbers() -> [UInt32] { DigitText.words(of: value).compactMap { DigitText.number($0) } }
        if `is`("Umask") { umask = DigitText.number(value, radix: 8) ?? umask }
        if `is`("Uid") { users = Array(numbers().prefix(3)) }
        if `is`("Gid") { groups = Array(numbers().prefix(3)) }
        if `is`("Groups") { supplementary = numbers() }
        if `is`("SigIgn") { ignoredSignals = DigitText.number(value, radix: 16) ?? 0 }
        if `is`("CapEff") { capabilities = DigitText.number(value, radix: 16) ?? 0 }
        if `is`("NoNewPrivs") { noNewPrivileges = DigitText.number(value) == 1 }
        if `is`("Seccomp") { filterMode = DigitText.number(value) ?? 0 }
    }
}

/// Numbers in the kernel's texts, read without making strings of them.
enum DigitText {
    static func words(of text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        text.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
    }

    /// A number, perhaps with blanks before it; nil for anything else.
    static func number<Number: FixedWidthInteger>(_ text: ArraySlice<UInt8>, radix: Number = 10) -> Number? {
        var digits = text.drop { $0 == 0x20 || $0 == 0x09 }
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: Number = 0
        for digit in digits {
            guard let next = self.value(of: digit), next < radix else { return nil }
            let (product, isOver) = value.multipliedReportingOverflow(by: radix)
            let (sum, isBeyond) = product.addingReportingOverflow(Number(next))
            if isOver || isBeyond { return nil }
            value = sum
        }
        return isNegative ? 0 - value : value
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// The limits of a process that programs inherit, getrlimit(2).
package struct CallLimit: Hashable, Sendable {
    package var resource: Int32
    package var soft: UInt64
    package var hard: UInt64

    /// All of them, in the kernel's order: proc_pid_limits(5), which needs fewer rights than prlimit(2).
    package static func all(of pid: Int32) throws(SystemError) -> [CallLimit] {
        parse(try Files.read("/proc/\(pid)/limits"))
    }

    /// The first words of the lines, by RLIMIT_ number.
    private static let names = [
        "cpu time", "file size", "data size", "stack size", "core file size", "resident set", "processes", "open files",
        "locked memory", "address space", "file locks", "pending signals", "msgqueue size", "nice priority",
        "realtime priority", "realtime timeout",
    ].map { Array("Max \($0) ".utf8) }

    static func parse(_ text: [UInt8]) -> [CallLimit] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let resource = names.firstIndex(where: { line.starts(with: $0) }) else { return nil }
            let values = DigitText.words(of: line.dropFirst(names[resource].count))
            guard values.count >= 2, let soft = value(values[0]), let hard = value(values[1]) else { return nil }
            return CallLimit(resource: Int32(resource), soft: soft, hard: hard)
        }
    }

    private static func value(_ text: ArraySlice<UInt8>) -> UInt64? {
        text.elementsEqual("unlimited".utf8) ? .max : DigitText.number(text)
    }
}
