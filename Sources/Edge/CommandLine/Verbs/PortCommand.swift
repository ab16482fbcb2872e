import ArgumentParser
import Engine
import JSON
import Linux
import Networking
import OCI

/// `forkless port`
struct PortCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "port", abstract: "Shows where a container's ports are reached from outside.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String
    @Argument(help: "Only this port of it (PORT[/tcp|udp]).") var port: String?

    func run() async throws {
        let wanted = try port.map { text throws(FlagError) in
            guard let port = ContainerPort(text) else {
                throw FlagError("port", text, "it is no port", advice: "Write PORT or PORT/udp.")
            }
            return port
        }
        let details = try await node.connect().call(InspectContainer(container: container))
        let ports = details.summary.ports.filter { wanted == nil || $0.inside == wanted }
        if let wanted, ports.isEmpty {
            throw CommandFailure(
                "no public port '\(wanted)' published for \(details.summary.name)", status: ExitCodes.verbFailed)
        }
        switch output.output {
        case .json: try StandardStreams.write(.array(ports.map(\.json)))
        case .text: try StandardStreams.write(ports.map { Self.line($0, isAlone: wanted != nil) }.joined())
        }
    }

    /// "80/tcp -> 0.0.0.0:8080", or where only one was asked for "0.0.0.0:8080".
    static func line(_ port: PublishedPort, isAlone: Bool) -> String {
        (isAlone ? "\(InternetEndpoint(port.hostAddress, port.hostPort))" : "\(port)") + "\n"
    }
}

extension PublishedPort {
    /// The port of the container.
    var inside: ContainerPort? {
        ContainerPort.TransportProtocol(rawValue: transport.rawValue).flatMap { ContainerPort(containerPort, $0) }
    }
}
