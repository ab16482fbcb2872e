import JSON
import Linux
import Networking

/// A TCP connection to a container, opened and closed (core/v1.TCPSocketAction).
struct ConnectionCheck: Sendable {
    let json: JSONValue
    let container: JSONValue?
    /// The pod's.
    let address: String
    let machine: MachineNetwork

    func run() async -> PodWorker.CheckResult {
        let host = json["host"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? address
        guard let port = CheckPort.number(json["port"], in: container) else {
            return .init(isSuccess: false, message: "couldn't find the port of the connection")
        }
        do throws(SystemError) {
            _ = try await Connecting.connect(InternetEndpoint(try await Connecting.resolve(host), port), machine)
            return .init(isSuccess: true, message: "")
        } catch { return .init(isSuccess: false, message: "dial tcp \(host):\(port): \(error)") }
    }
}
