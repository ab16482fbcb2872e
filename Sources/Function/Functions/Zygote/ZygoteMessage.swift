package import Linux

// What a node and a zygote say to each other, docs/zygote.md: datagrams of a SOCK_SEQPACKET socket, each a few words
// that NULs part.

/// What a zygote says on its control socket.
package enum ZygoteWord: Hashable, Sendable {
    /// The initialisation is done: it can be forked.
    case ready
    /// It is done, and left what a fork cannot have.
    case unfit(String)
    /// It failed: the type of the error and what it says.
    case failed(String, String)
    /// A child ended; the text is why it was not even born.
    case ended(place: String, ZygoteEnd)
    /// It did not know a word of ours, or we do not know one of its.
    case unknown(String)

    package init(_ bytes: [UInt8]) {
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        switch (words.first, words.count) {
        case ("ready", 1): self = .ready
        case ("unfit", 2): self = .unfit(words[1])
        case ("failed", 3): self = .failed(words[1], words[2])
        case ("ended", 3):
            guard let status = UInt32(words[2]), let end = ExitStatus(waitStatus: status) else {
                self = .unknown(words.joined(separator: " "))
                return
            }
            self = .ended(place: words[1], .status(end))
        case ("ended", 4) where words[2] == "fork": self = .ended(place: words[1], .notForked(words[3]))
        default: self = .unknown(words.joined(separator: " "))
        }
    }
}

/// What became of a child.
package enum ZygoteEnd: Hashable, Sendable {
    case status(ExitStatus)
    /// fork(2) failed.
    case notForked(String)
}

/// What a child says on its own socket before its turn.
package enum ZygoteChildWord: Hashable, Sendable {
    /// It is in its sandbox and waits.
    case parked
    case failed(String)
    /// It has gone without a word.
    case gone

    package init(_ bytes: [UInt8]) {
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        switch words.first {
        case "parked": self = .parked
        case "failed": self = .failed(words.dropFirst().joined(separator: " "))
        case "": self = .gone
        default: self = .failed("it said \"\(words.joined(separator: " "))\" instead of \"parked\"")
        }
    }
}

/// What the node says, as bytes.
package enum ZygoteOrder {
    /// To a zygote: descriptors are the pidfd of the sandbox, the child's socket, its system-call filter, and the files
    /// of its cgroups.
    package static func fork(_ place: String) -> [UInt8] { Array("fork\0\(place)".utf8) }

    package static func signal(_ place: String, _ number: Int32) -> [UInt8] { Array("signal\0\(place)\0\(number)".utf8) }

    /// To a child: descriptors are its standard output and error.
    package static func go(_ environment: [String]) -> [UInt8] { Array((["go"] + environment).joined(separator: "\0").utf8) }
}

extension ExitStatus {
    /// Reads the status of wait(2).
    init?(waitStatus status: UInt32) {
        let signal = Int32(status & 0x7f)
        if signal == 0 {
            self = .exited(Int32(status >> 8 & 0xff))
        } else if signal != 0x7f {
            self = .signaled(signal, coreDumped: status & 0x80 != 0)
        } else {
            return nil
        }
    }
}
