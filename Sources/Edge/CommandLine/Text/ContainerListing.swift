import Comparison
import Engine
import Linux

/// `ps`: containers as rows.
struct ContainerListing {
    var containers: [ContainerSummary]
    var now: Timestamp
    /// Whole ids and commands.
    var isWhole = false
    var showsSizes = false

    /// As many characters of an id as Docker shows; every verb takes them.
    static let shortIDLength = 12
    private static let commandLength = 40

    var listing: Listing {
        let titles = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
        return Listing(
            columns: (titles + (showsSizes ? ["SIZE"] : [])).map { .init($0) },
            rows: containers.map { container in
                let command = Self.command(container.program, container.arguments)
                let cells = [
                    isWhole ? container.id : String(container.id.prefix(Self.shortIDLength)), container.image,
                    isWhole ? command : Shortened.text(command, to: Self.commandLength),
                    HumanTime.ago(seconds: now.seconds(since: container.createdAt)), Self.status(container, now),
                    PortText.cell(published: container.ports, exposed: container.exposedPorts), container.name,
                ]
                return cells + (showsSizes ? [FloatingText.bytes(container.sizeBytes ?? 0)] : [])
            })
    }

    /// The program and its arguments as a shell would take them.
    static func command(_ program: String, _ arguments: [String]) -> String {
        ((program.isEmpty ? [] : [program]) + arguments).map(ShellWord.quoted).joined(separator: " ")
    }

    /// "Up 3 seconds", "Exited (137) 2 minutes ago".
    static func status(_ container: ContainerSummary, _ now: Timestamp) -> String {
        switch container.phase {
        case .created: return "Created"
        case .starting: return "Starting"
        case .removing: return "Removal In Progress"
        case .restarting:
            let status = container.end?.exitStatus.map { "\($0)" } ?? "unknown"
            return "Restarting (\(status))" + ago(container.end, now)
        case .running, .paused, .stopping:
            let span = container.startedAt.map { HumanTime.span(seconds: now.seconds(since: $0)) }
            let up = span.map { "Up \($0)" } ?? "Up"
            if container.phase == .paused { return up + " (Paused)" }
            if container.phase == .stopping { return up + " (stopping)" }
            switch container.health {
            case nil: return up
            case .starting: return up + " (health: starting)"
            case .healthy, .unhealthy: return up + " (\(container.health!.rawValue))"
            }
        case .lost: return "Lost" + ago(container.end, now)
        case .exited:
            guard let end = container.end else { return "Exited" }
            let status = end.exitStatus.map { "\($0)" } ?? "unknown"
            return "Exited (\(end.outOfMemory ? "\(status), out of memory" : status))" + ago(end, now)
        }
    }

    private static func ago(_ end: ContainerEnd?, _ now: Timestamp) -> String {
        end.map { " " + HumanTime.ago(seconds: now.seconds(since: $0.endedAt)) } ?? ""
    }
}

extension Timestamp {
    /// Whole seconds since an earlier time; 0 when it is later.
    func seconds(since earlier: Timestamp) -> Int { max(0, (nanoseconds - earlier.nanoseconds) / 1_000_000_000) }
}

/// Words as a POSIX shell reads them.
enum ShellWord {
    /// The word, in quotes where it needs them.
    static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            (scalar.isASCII && scalar.properties.isAlphabetic) || ("0"..."9").contains(scalar)
                || "@%+=:,./-_".unicodeScalars.contains(scalar)
        }
        if plain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
