/// A convention by which programs call the kernel: it gives the numbers their meaning.
package enum SystemCallABI: Hashable, Sendable, CaseIterable {
    case x86_64, arm64
    /// 32-bit programs on x86.
    case i386
    /// Programs with 32-bit pointers that make calls of x86-64, with bit 30 set in the number. Numbers in `SystemCalls`
    /// are without the bit.
    case x32

    /// The convention of the machine that this was built for.
    package static var native: SystemCallABI {
        #if arch(x86_64)
            .x86_64
        #elseif arch(arm64)
            .arm64
        #else
            #error("Forkless has no system call table for this architecture: add its numbers to SystemCallTable.swift")
        #endif
    }

    /// What the kernel calls it in `seccomp_data.arch` (AUDIT_ARCH_* of linux/audit.h).
    package var auditNumber: UInt32 {
        switch self {
        case .x86_64: 0xC000_003E
        case .arm64: 0xC000_00B7
        case .i386: 0x4000_0003
        case .x32: 0xC000_003E
        }
    }

    /// Whether arguments have 32 bits: of a comparison only the lower half counts then, so that -1 is -1.
    package var isOf32Bits: Bool { self == .i386 || self == .x32 }

    /// Those besides the native one that this machine's kernel runs programs of.
    package static var compatible: [SystemCallABI] {
        switch native {
        case .x86_64: [.i386, .x32]
        default: []
        }
    }
}

/// The system calls of one ABI, by name and by number, as of Linux 6.18.
///
/// Parsed once, when first asked for: 400 entries written as a dictionary literal would cost the type checker
/// more than they cost every process that ever compiles a filter.
package struct SystemCalls: Sendable {
    /// The numbers by name, names as in syscalls(2).
    package let numbers: [String: UInt32]
    /// The highest number that has a name.
    package let highest: UInt32
    private let names: [String?]

    /// The calls of this ABI.
    package static func of(_ abi: SystemCallABI) -> SystemCalls {
        switch abi {
        case .x86_64: x86_64
        case .arm64: arm64
        case .i386: i386
        case .x32: x32
        }
    }

    /// The number of this call; nil when the ABI has no such call.
    package func number(of name: String) -> UInt32? { numbers[name] }

    /// The name of this number; nil when Linux 6.18 assigns none.
    package func name(of number: UInt32) -> String? {
        number < names.count ? names[Int(number)] : nil
    }

    private static let x86_64 = SystemCalls(numbers(systemCallTable, column: 1))
    private static let arm64 = SystemCalls(numbers(systemCallTable, column: 2))
    private static let i386 = SystemCalls(numbers(systemCallTableI386, column: 1))
    private static let x32: SystemCalls = {
        var all = x86_64.numbers
        for name in words(systemCallsWithoutX32) { all[String(decoding: name, as: UTF8.self)] = nil }
        all.merge(numbers(systemCallTableX32, column: 1)) { _, own in own }
        return SystemCalls(all)
    }()

    /// - Parameter column: of an entry `name:number` or `name:x86-64:arm64`.
    private static func numbers(_ table: String, column: Int) -> [String: UInt32] {
        var numbers: [String: UInt32] = [:]
        for entry in words(table) {
            let fields = entry.split(separator: UInt8(ascii: ":"))
            guard let number = UInt32(String(decoding: fields[column], as: UTF8.self)) else { continue }
            let name = String(decoding: fields[0], as: UTF8.self)
            precondition(numbers.updateValue(number, forKey: name) == nil, "\(name) stands twice in the table")
        }
        return numbers
    }

    private static func words(_ table: String) -> [Substring.UTF8View] {
        table.utf8.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
    }

    private init(_ numbers: [String: UInt32]) {
        highest = numbers.values.max()!
        var names = [String?](repeating: nil, count: Int(highest) + 1)
        for (name, number) in numbers {
            precondition(names[Int(number)] == nil, "two calls have the number \(number)")
            names[Int(number)] = name
        }
        self.numbers = numbers
        self.names = names
    }
}
