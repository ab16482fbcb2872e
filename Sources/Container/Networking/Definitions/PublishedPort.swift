package import Linux

/// A port of the machine that leads to a port of a container.
package struct PublishedPort: Hashable, Sendable, CustomStringConvertible {
    package enum Transport: String, Hashable, Sendable {
        case tcp
        case udp
    }

    package var transport: Transport
    /// Where it is reached: 0.0.0.0 and :: are every address of the machine of that kind.
    package var hostAddress: IPAddress
    /// 0: a free one is chosen when the container starts.
    package var hostPort: UInt16
    package var containerPort: UInt16

    package init(
        _ transport: Transport = .tcp, hostAddress: IPAddress = .anyIPv4, hostPort: UInt16, containerPort: UInt16
    ) {
        self.transport = transport
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.containerPort = containerPort
    }

    /// "80/tcp -> 0.0.0.0:8080"
    package var description: String {
        "\(containerPort)/\(transport.rawValue) -> \(InternetEndpoint(hostAddress, hostPort))"
    }

    /// As many as one `-p` may stand for: each is a socket that keeps the port for us.
    package static let rangeLimit = 1024

    /// Reads what `-p` takes: `[ADDRESS:][HOST[-HOST]:]CONTAINER[-CONTAINER][/tcp|udp]`, IPv6 addresses in brackets.
    package static func parse(_ text: String) throws(NetworkFailure) -> [PublishedPort] {
        func wrong(_ why: String) -> NetworkFailure {
            NetworkFailure(.invalid, "published port \"\(text)\": \(why); write [ADDRESS:][PORT:]CONTAINERPORT[/udp]")
        }
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2, let transport = Transport(rawValue: halves.count == 2 ? String(halves[1]) : "tcp") else {
            throw wrong("the protocol is tcp or udp")
        }
        var address = IPAddress.anyIPv4
        var rest = halves[0]
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]"), let six = IPAddress(rest[rest.index(after: rest.startIndex)..<end]),
                six.isIPv6, rest[rest.index(after: end)...].hasPrefix(":")
            else { throw wrong("an IPv6 address stands in brackets, a colon after it") }
            address = six
            rest = rest[rest.index(end, offsetBy: 2)...]
        }
        var parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 3 {
            guard address == .anyIPv4, let four = IPAddress(parts[0]) else { throw wrong("\(parts[0]) is no address") }
            address = four
            parts.removeFirst()
        }
        guard parts.count <= 2, let inside = range(parts[parts.count - 1]) else {
            throw wrong("ports are numbers from 1 to 65535, ranges go up")
        }
        guard parts.count == 2, !parts[0].isEmpty else {
            return try limited(inside.map { PublishedPort(transport, hostAddress: address, hostPort: 0, containerPort: $0) }, wrong)
        }
        guard let outside = range(parts[0]) else { throw wrong("ports are numbers from 1 to 65535, ranges go up") }
        guard outside.count == inside.count else { throw wrong("the two ranges differ in length") }
        return try limited(
            zip(outside, inside).map { PublishedPort(transport, hostAddress: address, hostPort: $0, containerPort: $1) },
            wrong)
    }

    private static func limited(
        _ ports: [PublishedPort], _ wrong: (String) -> NetworkFailure
    ) throws(NetworkFailure) -> [PublishedPort] {
        guard ports.count <= rangeLimit else { throw wrong("a range has \(rangeLimit) ports at most") }
        return ports
    }

    private static func range(_ text: Substring) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { end in
            end.utf8.allSatisfy { (48...57).contains($0) } ? UInt16(end) : nil
        }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first > 0, first <= last
        else { return nil }
        return first...last
    }

    /// A request that cannot be fulfilled by address translation in the kernel.
    package func check() throws(NetworkFailure) {
        guard containerPort > 0 else { throw NetworkFailure(.invalid, "port 0 of a container cannot be published") }
        guard !hostAddress.isMulticast, !(hostAddress.isIPv6 && hostAddress.isLoopback) else {
            throw NetworkFailure(
                .invalid, "publishing at \(hostAddress) is not possible: the kernel does not route from it; use 127.0.0.1")
        }
    }
}
