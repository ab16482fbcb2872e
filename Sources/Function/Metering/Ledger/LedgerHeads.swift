internal import JSON
package import Linux

/// Heads of the ledger that were noted outside the database: whoever shortens the ledger, or writes it anew, makes one of them wrong.
///
/// A file of lines `SEQUENCE HASH`, the newest last. The last line is that of the run that goes on; the lines before it are
/// where former runs of the node began and ended.
package struct LedgerHeads: Hashable, Sendable {
    /// A place in the chain that must not change any more.
    package struct Anchor: Hashable, Sendable, CustomStringConvertible {
        package var sequence: Int
        package var hash: [UInt8]

        package init(sequence: Int, hash: [UInt8]) {
            self.sequence = sequence
            self.hash = hash
        }

        /// Reads `SEQUENCE:HASH`; nil for anything else.
        package init?(_ text: some StringProtocol, separator: Character = ":") {
            let parts = text.split(separator: separator, omittingEmptySubsequences: false)
            guard parts.count == 2, let sequence = Int(parts[0]), sequence >= 0, let hash = Hexadecimal.bytes(parts[1]),
                hash.count == 32
            else { return nil }
            self.init(sequence: sequence, hash: hash)
        }

        package var description: String { "\(sequence):\(Hexadecimal.text(hash))" }
    }

    /// Former runs that are remembered.
    static let limit = 64

    package private(set) var anchors: [Anchor]

    package init(anchors: [Anchor] = []) { self.anchors = anchors }

    /// - Returns: nil when the text is something else.
    package init?(text: String) {
        var anchors: [Anchor] = []
        for line in text.split(separator: "\n") {
            guard let anchor = Anchor(line, separator: " ") else { return nil }
            anchors.append(anchor)
        }
        self.init(anchors: anchors)
    }

    var text: String { anchors.map { "\($0.sequence) \(Hexadecimal.text($0.hash))\n" }.joined() }

    /// A run begins, where the ledger stands: what was noted before stays as it is.
    mutating func beginRun(at head: ChainHead) {
        anchors.append(Anchor(sequence: head.sequence, hash: head.hash))
        if anchors.count > Self.limit { anchors.removeFirst(anchors.count - Self.limit) }
    }

    /// The run has gone on.
    mutating func advance(to head: ChainHead) {
        anchors[anchors.count - 1] = Anchor(sequence: head.sequence, hash: head.hash)
    }

    /// What is noted in a file; none when there is no file.
    package static func read(_ path: String) throws(SystemError) -> LedgerHeads? {
        guard Files.exists(path) else { return LedgerHeads() }
        return LedgerHeads(text: String(decoding: try Files.read(path), as: UTF8.self))
    }
}
