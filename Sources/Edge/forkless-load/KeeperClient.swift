import Keeper
import Linux

/// A plain blocking client of the keeper, as lean as the protocol lets it be: what it adds is measured with the rest.
final class KeeperClient {
    private let socket: MessageSocket
    private var number: UInt64 = 0
    private var buffer = [UInt8](repeating: 0, count: MessageSocket.messageBytesLimit)
    private var ends: [String: EndReport] = [:]

    init(socket path: String) throws {
        socket = try MessageSocket.connect(to: path)
        guard case .hello = try ask(.hello(node: "load")).reply else { throw LoadError("the keeper did not say hello") }
    }

    /// Asks and waits for the answer.
    func ask(
        _ request: KeeperRequest, _ descriptors: [CInt] = []
    ) throws -> (reply: KeeperReply, descriptors: [SharedFD]) {
        let wanted = try send(request, descriptors)
        while true {
            let message = try receive()
            guard message.number == wanted else {
                try note(message.reply)
                continue
            }
            if case .failed(let failure) = message.reply { throw failure }
            return (message.reply, message.descriptors)
        }
    }

    /// Asks for what has no answer but "done"; a refusal shows at the next exchange.
    func tell(_ request: KeeperRequest) throws { _ = try send(request, []) }

    /// Waits for the end of a program, and acknowledges it.
    func end(of name: String) throws -> EndReport {
        while true {
            if let end = ends.removeValue(forKey: name) {
                try tell(.acknowledge(sandbox: name))
                return end
            }
            try note(try receive().reply)
        }
    }

    private func send(_ request: KeeperRequest, _ descriptors: [CInt]) throws -> UInt64 {
        number += 1
        let folded = try KeeperProtocol.fold(request.encoded(number: number))
        try socket.send(folded.bytes, descriptors: descriptors + (folded.file.map { [$0.raw] } ?? []))
        return number
    }

    private func receive() throws -> (reply: KeeperReply, number: UInt64, descriptors: [SharedFD]) {
        var message = MessageSocket.Message()
        let count = try socket.receive(into: &buffer, descriptors: &message.descriptors)
        guard count > 0 else { throw LoadError("the keeper closed the connection") }
        message.bytes = Array(buffer[..<count])
        try KeeperProtocol.unfold(&message)
        let (reply, number) = try KeeperReply.decode(message.bytes)
        return (reply, number, message.descriptors)
    }

    private func note(_ reply: KeeperReply) throws {
        switch reply {
        case .ended(let name, let end): ends[name] = end
        case .failed(let failure): throw failure
        default: break
        }
    }
}

/// Why a request of the benchmark could not be carried out.
struct LoadError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
