import JSON

/// A port of a container, by number or by the name that its spec gives it.
enum CheckPort {
    static func number(_ json: JSONValue?, in container: JSONValue?) -> UInt16? {
        switch json {
        case .integer(let number): return UInt16(exactly: number).flatMap { $0 == 0 ? nil : $0 }
        case .string(let name):
            if let number = UInt16(name), number > 0 { return number }
            let ports = container?["ports"]?.array ?? []
            let port = ports.first { $0["name"]?.string == name }?["containerPort"]?.integer
            return port.flatMap { UInt16(exactly: $0) }
        default: return nil
        }
    }
}
