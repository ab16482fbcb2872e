import Catalog
import Engine
import EventSources
import ExecDoor
import Functions
import HTTPServing
import LambdaAPI
import Linux

/// Where the function rung is reached: the Lambda and SQS APIs on a unix socket and over TCP, function URLs at the node's
/// HTTP door.
///
/// Invariants
/// 1. A port that was asked for is served, or the node does not start; a usual port that is taken is a remark.
///    (test: `a usual port that is taken is a remark, one that was asked for an error`)
struct LambdaDoors: Sendable {
    private let listeners: [HTTPListener]
    private let socket: String
    /// For the node's HTTP door.
    let functionURLs: NodeSite

    static func open(_ rung: FunctionRung, _ shifts: ShiftPart, _ node: NodeSurroundings) async throws(NodeFailure) -> LambdaDoors {
        let settings = node.settings.lambda
        let parts = try await parts(rung, shifts, node)
        var listeners: [HTTPListener] = []
        do throws(NodeFailure) {
            listeners.append(
                try await listen(on: .unix(node.settings.lambdaSocket), rung.loops, "--run", nil) { LambdaDoor(parts, on: $0) })
            if let address = settings.api,
                let listener = try await listen(at: address, rung.loops, "--lambda-listen", node, { LambdaDoor(parts, on: $0) })
            {
                listeners.append(listener)
                let place = "\(listener.address?.description ?? "")"
                rung.catalog.connect { $0.codeLocation = { "http://\(place)\($0)" } }
            }
            if case .tcp(_, let port) = node.http.address {
                rung.catalog.connect { $0.functionURL = { "http://\($0).lambda-url.localhost:\(port)/" } }
            }
        } catch {
            for listener in listeners { listener.close() }
            throw error
        }
        let urls = NodeSite(owns: { FunctionURLDoor.owns($0) }, service: { FunctionURLDoor(parts, on: $0) })
        return LambdaDoors(listeners: listeners, socket: node.settings.lambdaSocket, functionURLs: urls)
    }

    private static func parts(_ rung: FunctionRung, _ shifts: ShiftPart, _ node: NodeSurroundings) async throws(NodeFailure) -> DoorParts {
        var parts = DoorParts(catalog: rung.catalog, invoker: rung.invoker, events: rung.sources.events)
        parts.queues = rung.sources.sqs
        if let path = node.settings.lambda.accessKeys { parts.keys = try await AccessKeyFile.read(path) }
        parts.extensions = try DoorResources.all(rung, node) + [shifts.resource]
        parts.calls = node.log.calls
        return parts
    }

    /// A place that somebody has chosen, or a usual one.
    ///
    /// - Returns: nil for a usual one that is taken, which is remarked.
    private static func listen(
        at address: ListenAddress, _ loops: ServingLoops, _ flag: String, _ node: NodeSurroundings,
        _ service: @escaping @Sendable (ServingLoop) -> any HTTPService
    ) async throws(NodeFailure) -> HTTPListener? {
        do throws(NodeFailure) {
            return try await listen(on: .tcp(address.host, address.port), loops, flag, address, service)
        } catch {
            guard !address.isAsked else { throw error }
            node.note("\(error.message) It is served at \(node.settings.lambdaSocket) alone; \(flag) chooses another port.")
            return nil
        }
    }

    private static func listen(
        on place: consuming HTTPListenPlace, _ loops: ServingLoops, _ flag: String, _ address: ListenAddress?,
        _ service: @escaping @Sendable (ServingLoop) -> any HTTPService
    ) async throws(NodeFailure) -> HTTPListener {
        do throws(HTTPServingFailure) {
            return try await HTTPListener.listen(on: place, loops: loops, service: service)
        } catch { throw NodeFailure(.unavailable, "\(flag)\(address.map { " \($0)" } ?? ""): \(error).") }
    }

    /// Takes no more requests.
    func close() {
        for listener in listeners { listener.close() }
        try? Files.remove(socket)
    }
}
