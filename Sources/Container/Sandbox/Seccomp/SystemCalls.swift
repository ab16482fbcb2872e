/// A convention by which programs call the kernel: it gives the numbers their meaning.
package enum SystemCallABI: Hashable, Sendable, CaseIterable {
    case x86_64, arm64

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
        }
    }

    /// The number of this call; nil when the ABI has no such call.
    package func number(of name: String) -> UInt32? { numbers[name] }

    /// The name of this number; nil when Linux 6.18 assigns none.
    package func name(of number: UInt32) -> String? {
        number < names.count ? names[Int(number)] : nil
    }

    private static let x86_64 = SystemCalls(column: 1)
    private static let arm64 = SystemCalls(column: 2)

    /// - Parameter column: of an entry `name:x86-64:arm64`.
    private init(column: Int) {
        var numbers: [String: UInt32] = [:]
        let table = systemCallTable.utf8
        for entry in table.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }) {
            let fields = entry.split(separator: UInt8(ascii: ":"))
            guard let number = UInt32(String(decoding: fields[column], as: UTF8.self)) else { continue }
            let name = String(decoding: fields[0], as: UTF8.self)
            precondition(numbers.updateValue(number, forKey: name) == nil, "\(name) stands twice in the table")
        }
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
