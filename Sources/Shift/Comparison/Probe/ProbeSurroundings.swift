package import Linux

/// What the probe is given to try from inside: a process, services, files and memory of the machine's, all of them made for
/// this and gone with it.
///
/// Invariants:
/// 1. Nothing is left when it is released: files are removed, everything else ends with its descriptor or process.
///    Test: `the probe leaves the machine as it was`.
/// 2. What a process left that was killed is removed by the next one. Test: `what a killed comparison left is removed`.
package final class ProbeSurroundings: Sendable {
    private let listeners: [SharedFD]
    private let segment: SharedSegment
    private let files: [String]
    /// What the probe is told, as environment variables: "NAME=value".
    package let environment: [String]

    /// - Parameters:
    ///   - outside: a process that is not in any sandbox; nothing happens to it.
    ///   - memoryBytes, processes: limits that the sandboxes have, which the probe tries to exceed; nil: it only looks for limits.
    package init(outside: Int32 = OwnProcess.pid, memoryBytes: Int? = nil, processes: Int? = nil) throws(SystemError) {
        Self.removeAbandoned()
        let name = Self.prefix + "\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let marker = "/tmp/\(name)"
        // An ordinary user has no place in /run.
        let socket = OwnProcess.effectiveUser == 0 ? "/run/\(name)" : "/tmp/\(name)-socket"
        let sharedFile = "/dev/shm/\(name)"
        let port = try Loopback.listen()
        let portNumber = port.port
        segment = try SharedSegment(bytes: 4096)
        var made: [String] = []
        do throws(SystemError) {
            try Files.replace(marker, with: Array("a file of the machine\n".utf8), mode: 0o644)
            made.append(marker)
            try Files.replace(sharedFile, with: Array("memory of the machine\n".utf8), mode: 0o600)
            made.append(sharedFile)
            let daemon = try StreamSocket.listen(at: socket)
            made.append(socket)
            let abstract = try StreamSocket.listen(atAbstract: name)
            listeners = [
                SharedFD(try port.descriptor.duplicate()), SharedFD(daemon), SharedFD(abstract),
            ]
        } catch {
            for path in made { try? Files.remove(path) }
            throw error
        }
        files = made
        var environment = [
            (ProbeSettings.outsidePID, "\(outside)"), (ProbeSettings.port, "\(portNumber)"),
            (ProbeSettings.marker, marker),
            (ProbeSettings.socket, socket), (ProbeSettings.abstractSocket, "@" + name),
            (ProbeSettings.sharedSegment, "\(segment.id)"), (ProbeSettings.sharedFile, sharedFile),
        ]
        if let memoryBytes { environment.append((ProbeSettings.memoryMebibytes, "\((memoryBytes >> 20) + 128)")) }
        if let processes { environment.append((ProbeSettings.forks, "\(processes * 2)")) }
        self.environment = environment.map { "\($0)=\($1)" }
    }

    private static let prefix = "forkless-probe-"

    /// Removes this user's files of processes that are no more: one that is killed cannot clear up.
    private static func removeAbandoned() {
        for directory in ["/tmp", "/run", "/dev/shm"] {
            for name in (try? Files.list(directory)) ?? [] where name.hasPrefix(prefix) {
                let path = "\(directory)/\(name)"
                guard let pid = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ Int32($0) }),
                    !Files.exists("/proc/\(pid)"), let status = try? Files.status(path, followLinks: false),
                    status.owner == OwnProcess.effectiveUser, status.kind == .regular || status.kind == .socket
                else { continue }
                try? Files.remove(path)
            }
        }
    }

    /// The same for a probe in this process.
    package var settings: ProbeSettings {
        let pairs = environment.map { variable in
            let mark = variable.firstIndex(of: "=") ?? variable.endIndex
            return (String(variable[..<mark]), String(variable[mark...].dropFirst()))
        }
        return ProbeSettings(environment: Dictionary(uniqueKeysWithValues: pairs))
    }

    deinit { for path in files { try? Files.remove(path) } }
}
