import Linux

/// Attempts to reach the machine's network.
extension ProbeAttempt {
    static let ofNetwork = [
        ProbeAttempt("see-network", "see the machine's network interfaces") { settings throws(ProbeGap) in
            var names: Set<String> = []
            do { names.formUnion(try Trial.interfaceNames()) } catch { return .stopped("\(error)") }
            // Interfaces with numbers beyond those that were asked for show here, where there is a /proc.
            if let table = try? Files.readText("/proc/net/dev") { names.formUnion(interfaces(inTable: table)) }
            names.remove("lo")
            return names.isEmpty ? .stopped("none but lo") : .possible(names.sorted().joined(separator: ", "))
        },
        ProbeAttempt("connect-loopback", "connect to a local service of the machine") { settings throws(ProbeGap) in
            let port = try settings.number(ProbeSettings.port, in: 1...65_535)
            switch Trial.connectLoopback(port: UInt16(port)) {
            case .allowed: return .possible("127.0.0.1:\(port) answers")
            case let outcome: return .stopped(describe(outcome))
            }
        },
    ]

    /// The names in /proc/net/dev: two lines of heading, then "name: numbers".
    static func interfaces(inTable table: String) -> [String] {
        table.split(separator: "\n").dropFirst(2).compactMap { line in
            guard let colon = line.lastIndex(of: ":") else { return nil }
            return String(line[..<colon].drop { $0 == " " })
        }
    }
}
