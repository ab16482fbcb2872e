/// A port of a container: "80/tcp".
package struct ContainerPort: Hashable, Sendable, Comparable, CustomStringConvertible {
    package enum TransportProtocol: String, Hashable, Sendable, CaseIterable { case tcp, udp, sctp }

    /// From 1 to 65535.
    package let number: UInt16
    package let transport: TransportProtocol

    /// nil for port 0, which is none.
    package init?(_ number: UInt16, _ transport: TransportProtocol = .tcp) {
        guard number > 0 else { return nil }
        self.number = number
        self.transport = transport
    }

    /// Reads "80", "80/tcp", "53/udp"; nil for anything else, also for ranges.
    package init?(_ text: some StringProtocol) {
        let parts = String(text).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(first)
        else { return nil }
        let transport = parts.count == 2 ? TransportProtocol(rawValue: parts[1].lowercased()) : .tcp
        guard let transport else { return nil }
        self.init(number, transport)
    }

    package var description: String { "\(number)/\(transport.rawValue)" }

    package static func < (a: ContainerPort, b: ContainerPort) -> Bool {
        (a.number, a.transport.rawValue) < (b.number, b.transport.rawValue)
    }
}
