/// What went wrong with a call, by kind and in words.
package struct CallFault: Hashable, Sendable, CustomStringConvertible {
    package var kind: FailureKind
    package var reason: String

    package init(_ kind: FailureKind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String { reason }
}

/// Tells kinds of failures apart, from how a call ended and what the program complained of.
package enum FailureDiagnosis {
    /// - Parameters:
    ///   - how: how it ended, in words: "exited with status 2".
    ///   - complaint: the last line that it wrote to its standard error; empty for none.
    package static func fault(how: String, outOfMemory: Bool = false, complaint: String) -> CallFault {
        let reason = complaint.isEmpty ? how : "\(how): \(complaint)"
        if outOfMemory || says(complaint, memoryWords) { return CallFault(.exceededMemory, reason) }
        if says(complaint, terminalWords) { return CallFault(.needsTerminal, reason) }
        return CallFault(.crash, reason)
    }

    package static func hang(limitNanoseconds: Int) -> CallFault {
        CallFault(.hang, "it did not end within \(FloatingText.duration(nanoseconds: limitNanoseconds)) and was killed")
    }

    private static func says(_ complaint: String, _ words: [String]) -> Bool {
        let text = complaint.lowercased()
        return words.contains { text.contains($0) }
    }

    /// As C libraries, Python, Java, Go and Rust put it.
    private static let memoryWords = [
        "cannot allocate memory", "memoryerror", "bad_alloc", "outofmemoryerror", "out of memory",
        "memory allocation of",
    ]
    /// ENOTTY in words, and how programs say that they want a terminal.
    private static let terminalWords = [
        "inappropriate ioctl for device", "not a tty", "not a terminal", "no tty", "requires a terminal",
        "needs a terminal",
        "requires a tty", "must be run from a terminal", "/dev/tty", "terminal required", "error opening terminal",
        "term environment variable not set",
    ]
}
