import Linux

/// What of a call's birth must be rebuilt elsewhere, read once: what is kept is in here, what cannot be kept is an obstacle.
///
/// Pure but for `init(reading:)`; a target says which of the obstacles are ones for it.
package struct CallSurroundings: Sendable {
    package enum Obstacle: Hashable, Sendable, CustomStringConvertible {
        case closedStream(Int32)
        case terminal
        case inherits([Int32])
        case otherNamespaces([String])
        case systemCallFilter
        case raisedRights
        case scheduling
        case directory(String)
        case unreadable(String)

        package var description: String {
            switch self {
            case .closedStream(let number): "its stream \(number) is closed"
            case .terminal: "it uses a terminal"
            case .inherits(let numbers):
                "it inherits the descriptors \(numbers.map { "\($0)" }.joined(separator: ", "))"
            case .otherNamespaces(let names):
                "its caller lives in namespaces of its own (\(names.joined(separator: ", ")))"
            case .systemCallFilter: "its caller's system-call filter holds for it"
            case .raisedRights: "its caller has capabilities or ids that its user has not"
            case .scheduling: "it has a scheduling policy of its own"
            case .directory(let why): "its working directory \(why)"
            case .unreadable(let why): why
            }
        }
    }

    package var traits: CallTraits
    package var limits: [CallLimit]
    package var directory: String?
    package var obstacles: [Obstacle]

    /// Without SIGCANCEL and SIGSETXID, which glibc keeps for itself: it sets them up in every program that has threads.
    package var ignoredSignals: UInt64 { traits.ignoredSignals & ~(3 << 31) }

    /// Reads the waiting shim's process.
    package init(reading call: ShimCall) {
        do throws(SystemError) {
            let traits = try call.traits()
            let directory = try call.directoryPath()
            self.traits = traits
            limits = try call.limits()
            self.directory = directory
            obstacles = []
            try look(at: call)
        } catch {
            traits = CallTraits(status: [], stat: [])
            limits = []
            obstacles = [.unreadable("\(error)")]
        }
    }

    private mutating func look(at call: ShimCall) throws(SystemError) {
        for (number, stream) in try [call.descriptor(0), call.descriptor(1), call.descriptor(2)].enumerated() {
            guard let stream else {
                obstacles.append(.closedStream(Int32(number)))
                continue
            }
            if Terminal.isTerminal(stream.raw), !obstacles.contains(.terminal) { obstacles.append(.terminal) }
            withExtendedLifetime(stream) {}
        }
        let inherited = try call.inheritedDescriptors()
        if !inherited.isEmpty { obstacles.append(.inherits(inherited)) }
        if traits.filterMode != 0 { obstacles.append(.systemCallFilter) }
        if Set(traits.users).count > 1 || Set(traits.groups).count > 1 || !hasCapabilitiesOfItsUser {
            obstacles.append(.raisedRights)
        }
        if traits.policy != 0 { obstacles.append(.scheduling) }
        let others = Self.namespaces.filter { !Self.isShared($0.name, $0.link, call.head.pid) }.map(\.name)
        if !others.isEmpty { obstacles.append(.otherNamespaces(others)) }
        try lookAtDirectory(call)
    }

    /// Root has all that there is here, everybody else nothing.
    private var hasCapabilitiesOfItsUser: Bool {
        guard traits.users.first == 0 else { return traits.capabilities == 0 }
        let own = (try? Capabilities.permitted().rawValue) ?? 0
        return traits.capabilities & own == own
    }

    private mutating func lookAtDirectory(_ call: ShimCall) throws(SystemError) {
        guard let directory else { return obstacles.append(.directory("was deleted")) }
        let place = try call.directory()
        let own = try Files.status(of: place.raw, name: directory)
        withExtendedLifetime(place) {}
        guard let named = try? Files.status(directory), named.device == own.device, named.inode == own.inode else {
            return obstacles.append(.directory("is not what the machine shows at \(directory)"))
        }
    }

    /// Our own, which never change.
    private static let namespaces = ["mnt", "user", "pid", "net", "ipc", "uts"].map { name in
        (name: name, link: try? Files.link("/proc/self/ns/\(name)"))
    }

    private static func isShared(_ name: String, _ own: String?, _ pid: Int32) -> Bool {
        guard let own, let theirs = try? Files.link("/proc/\(pid)/ns/\(name)") else { return false }
        return theirs == own
    }
}
