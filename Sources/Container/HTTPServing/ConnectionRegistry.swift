internal import Linux
internal import NIOCore

/// The connections of a listener on one of its loops, and the service they have there. Confined to the loop.
final class ConnectionRegistry {
    let loop: ServingLoop
    let date = DateLine { Clock.now().nanoseconds / 1_000_000_000 }
    private let limits: HTTPLimits
    private let make: @Sendable (ServingLoop) -> any HTTPService
    private var made: (any HTTPService)?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var isClosing = false

    init(_ loop: ServingLoop, limits: HTTPLimits, service: @escaping @Sendable (ServingLoop) -> any HTTPService) {
        self.loop = loop
        self.limits = limits
        make = service
    }

    init(_ loop: ServingLoop, limits: HTTPLimits, _ service: any HTTPService) {
        self.loop = loop
        self.limits = limits
        made = service
        make = { _ in preconditionFailure("the service is made") }
    }

    var service: any HTTPService {
        if let made { return made }
        let service = make(loop)
        made = service
        return service
    }

    var count: Int { connections.count }
    var hasPlace: Bool { !isClosing && connections.count < limits.connections }

    func add(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = connection }
    func remove(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = nil }

    func closeIdle() {
        isClosing = true
        for connection in Array(connections.values) { connection.closeWhenIdle() }
    }

    func closeAll() {
        isClosing = true
        for connection in Array(connections.values) { connection.breakOff() }
    }
}
