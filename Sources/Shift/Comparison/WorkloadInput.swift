/// What a comparison gives to the program: the same inputs, in the same order, on every rung.
///
/// Invariants:
/// 1. Not one byte is added or lost: the inputs joined are the standard input that was read.
///    Test: `the inputs joined are what was read`.
package struct WorkloadInput: Hashable, Sendable {
    /// How standard input becomes calls.
    package enum Division: String, Hashable, Sendable, CaseIterable {
        /// One call with the whole of it.
        case whole
        /// One call per line, each with its newline; empty lines are calls, too.
        case lines
    }

    /// What goes to the program's standard input, one per call. Never empty.
    package let inputs: [[UInt8]]

    /// Divides what was read from standard input.
    ///
    /// - Throws: `WorkloadError` when there is not one line to call with.
    package init(standardInput bytes: [UInt8], division: Division) throws(WorkloadError) {
        switch division {
        case .whole:
            // A program may well want nothing on its standard input.
            inputs = [bytes]
        case .lines:
            guard !bytes.isEmpty else { throw .noLines }
            inputs = Self.lines(bytes)
        }
    }

    /// The input of call number `index`, from 0: after the last comes the first again.
    package func input(ofCall index: Int) -> [UInt8] { inputs[index % inputs.count] }

    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var begin = 0
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(Array(bytes[begin...index]))
            begin = index + 1
        }
        if begin < bytes.count { lines.append(Array(bytes[begin...])) }
        return lines
    }
}

/// An input that makes no workload.
package enum WorkloadError: Error, Hashable, Sendable, CustomStringConvertible {
    case noLines

    package var description: String {
        switch self {
        case .noLines:
            "divide standard input into one call per line: it is empty. "
                + "Redirect a file with one line per call, or compare with the whole input as one call"
        }
    }
}
