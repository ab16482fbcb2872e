import JSON
import Linux

/// A TCP connection to a container, opened and closed (core/v1.TCPSocketAction).
struct ConnectionCheck: Sendable {
    private let json: JSONValue
    private let container: JSONValue?
    private let address: String

    init(_ json: JSONValue, _ container: JSONValue?, _ address: String) {
        self.json = json
        self.container = container
        self.address = address
    }

    func run() async -> PodWorker.CheckResult {
        let host = json["host"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? address
        guard let port = CheckPort.number(json["port"], in: container), let place = IPAddress(host) else {
            return .init(isSuccess: false, message: "couldn't find the port of the connection, or an address for \"\(host)\"")
        }
        do throws(SystemError) {
            _ = try await Connecting.connect(InternetEndpoint(place, port))
            return .init(isSuccess: true, message: "")
        } catch { return .init(isSuccess: false, message: "dial tcp \(host):\(port): \(error)") }
    }
}
