import Linux
import Networking
import OCI

/// Ports in one cell of `ps`, as Docker writes them: "0.0.0.0:8080->80/tcp, 0.0.0.0:9000-9002->9000-9002/udp, 443/tcp".
enum PortText {
    static func cell(published: [PublishedPort], exposed: [ContainerPort]) -> String {
        let inside = Set(published.compactMap(\.inside))
        return (runs(of: published) + closed(exposed.filter { !inside.contains($0) })).joined(separator: ", ")
    }

    /// Ports that follow each other on both sides are one run.
    private static func runs(of ports: [PublishedPort]) -> [String] {
        let sorted = ports.sorted {
            ($0.transport.rawValue, $0.hostAddress, $0.containerPort, $0.hostPort)
                < ($1.transport.rawValue, $1.hostAddress, $1.containerPort, $1.hostPort)
        }
        var runs: [(first: PublishedPort, last: PublishedPort)] = []
        for port in sorted {
            if let run = runs.last, run.last.transport == port.transport, run.last.hostAddress == port.hostAddress,
                Int(run.last.containerPort) + 1 == Int(port.containerPort), Int(run.last.hostPort) + 1 == Int(port.hostPort)
            {
                runs[runs.count - 1].last = port
            } else {
                runs.append((port, port))
            }
        }
        return runs.map { first, last in
            let address = first.hostAddress.isIPv6 ? "[\(first.hostAddress)]" : "\(first.hostAddress)"
            let outside = span(first.hostPort, last.hostPort)
            return "\(address):\(outside)->\(span(first.containerPort, last.containerPort))/\(first.transport.rawValue)"
        }
    }

    private static func closed(_ ports: [ContainerPort]) -> [String] {
        var runs: [(first: ContainerPort, last: ContainerPort)] = []
        for port in ports.sorted(by: { ($0.transport.rawValue, $0.number) < ($1.transport.rawValue, $1.number) }) {
            if let run = runs.last, run.last.transport == port.transport, Int(run.last.number) + 1 == Int(port.number) {
                runs[runs.count - 1].last = port
            } else {
                runs.append((port, port))
            }
        }
        return runs.map { "\(span($0.first.number, $0.last.number))/\($0.first.transport.rawValue)" }
    }

    private static func span(_ first: UInt16, _ last: UInt16) -> String { first == last ? "\(first)" : "\(first)-\(last)" }
}
