internal import Linux
internal import Spawn

/// One shim's connection, on the door's thread.
final class DoorConnection {
    enum State {
        /// What it wants has not arrived whole.
        case reading
        /// A target answers.
        case running(TargetRun)
        /// A shadow is being prepared.
        case preparing
        case done
    }

    let fd: SharedFD
    let process: SharedFD
    let peer: MessageSocket.Peer
    let acceptedAt: Int
    var state = State.reading
    private var bytes: [UInt8] = []

    init(fd: SharedFD, process: SharedFD, peer: MessageSocket.Peer, acceptedAt: Int) {
        self.fd = fd
        self.process = process
        self.peer = peer
        self.acceptedAt = acceptedAt
    }

    /// One whole message of the shim.
    struct Incoming {
        var head: ShimHead
        var block: [UInt8]
    }

    enum Taken {
        case nothing
        case message(Incoming)
        /// The shim is gone, or says what no shim says.
        case end
    }

    /// What waits in the socket; called until it is `nothing`.
    func take(scratch: inout [UInt8]) -> Taken {
        while true {
            switch whole() {
            case .nothing: break
            case let taken: return taken
            }
            do throws(SystemError) {
                guard let count = try Files.readAvailable(fd.raw, into: &scratch) else { return .nothing }
                if count == 0 { return .end }
                bytes += scratch[..<count]
            } catch { return .end }
        }
    }

    private func whole() -> Taken {
        guard bytes.count >= ShimHead.byteCount else { return .nothing }
        guard let head = bytes.withUnsafeBytes({ ShimHead($0) }) else { return .end }
        let all = ShimHead.byteCount + head.blockBytes
        guard bytes.count >= all else { return .nothing }
        let block = Array(bytes[ShimHead.byteCount..<all])
        bytes.removeFirst(all)
        return .message(Incoming(head: head, block: block))
    }

    /// Answers; false: the shim is gone.
    @discardableResult
    func send(_ answer: ShimAnswer, _ descriptors: [CInt] = []) -> Bool { Self.send(answer, descriptors, to: fd) }

    /// The same from any thread. A shim reads every message, so that its socket is never full.
    @discardableResult
    static func send(_ answer: ShimAnswer, _ descriptors: [CInt] = [], to fd: SharedFD) -> Bool {
        do throws(SystemError) {
            try MessageSocket.send(answer.bytes, descriptors: descriptors, to: fd.raw)
            return true
        } catch { return false }
    }
}
