import Glibc
import Keeper
import Linux
import Spawn
import Synchronization

/// Standard inputs that nobody has attached to yet: as long as one is held, its program waits for input.
final class HeldInputs: Sendable {
    private let writers = Mutex<[String: SharedFD]>([:])

    func keep(_ writer: SharedFD, of container: String) { writers.withLock { $0[container] = writer } }

    /// Gives it to the first who asks; with whom it goes.
    func take(of container: String) -> SharedFD? { writers.withLock { $0.removeValue(forKey: container) } }
}

/// What a program's streams are to be at one start, with the descriptors that come with the wish.
struct ContainerStart: Sendable {
    var attachment: Attachment
    var descriptors: [SharedFD] = []
    var terminalSize: Terminal.Size?

    static let defaultSize = Terminal.Size(rows: 24, columns: 80)

    /// Whether the output goes to a log.
    var isLogged: Bool { attachment != .passed }

    /// Checks what was asked for against the spec and the descriptors that came.
    func validate(for spec: ContainerSpec) throws(NodeFailure) {
        switch attachment {
        case .passed:
            guard !spec.hasTerminal else {
                throw NodeFailure(.badRequest, "-t: a program with a terminal is attached to it, not to passed streams")
            }
            guard descriptors.count == 3 else {
                throw NodeFailure(.badRequest, "passed streams are three descriptors; \(descriptors.count) came")
            }
        case .terminal:
            guard spec.hasTerminal else { throw NodeFailure(.badRequest, "to attach to a terminal, ask for one (-t)") }
        case .detached: break
        }
        if attachment != .passed, !descriptors.isEmpty {
            throw NodeFailure(.badRequest, "\(attachment.rawValue) streams take no descriptors; \(descriptors.count) came")
        }
    }

    /// The keeper's word for it, and what has to be sent along. Blocks shortly.
    func streams(
        of spec: ContainerSpec, id: String, in directory: ContainerDirectory, inputs: HeldInputs
    ) throws(SystemError) -> (streams: StandardStreams, descriptors: [SharedFD]) {
        switch attachment {
        case .passed: return (.passed, descriptors)
        case .terminal: return (.terminal(terminalSize ?? Self.defaultSize), [SharedFD(try directory.openLog(of: id))])
        case .detached where spec.hasTerminal:
            return (.terminal(terminalSize ?? Self.defaultSize), [SharedFD(try directory.openLog(of: id))])
        case .detached where spec.isInteractive && spec.endsInputOnce:
            // With both ends open neither of the others waits for its like (fifo(7)).
            let both = try directory.openInput(of: id, O_RDWR)
            let reader = SharedFD(try directory.openInput(of: id, O_RDONLY))
            inputs.keep(SharedFD(try directory.openInput(of: id, O_WRONLY | O_NONBLOCK)), of: id)
            both.close()
            return (.logged, [reader, SharedFD(try directory.openLog(of: id))])
        case .detached where spec.isInteractive:
            // Both ends: it stays open whoever writes to it and leaves again, as with Docker, also over nodes.
            return (.logged, [SharedFD(try directory.openInput(of: id, O_RDWR)), SharedFD(try directory.openLog(of: id))])
        case .detached:
            let nothing = SharedFD(try Files.open("/dev/null", O_RDONLY))
            return (.logged, [nothing, SharedFD(try directory.openLog(of: id))])
        }
    }
}
