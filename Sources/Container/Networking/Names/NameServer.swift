package import Linux
import Synchronization

/// Answers containers' questions about names at their gateways, over UDP and TCP, RFC 1035 section 4.2.
///
/// Invariants
/// 1. At most `forwardLimit` questions are with other name servers and `connectionLimit` connections open; beyond
///    that a question goes unanswered, which resolvers try again.
///    (test: `a name server that does not answer does not stop the others`)
/// 2. An answer from elsewhere is passed on only when it comes from the asked server and is to the question that was
///    asked, whose id nobody can guess. (test: `a forged answer is not passed on`)
package final class NameServer: Sendable {
    package static let port: UInt16 = 53
    static let forwardLimit = 256
    static let connectionLimit = 64
    /// How long one name server has for an answer.
    private static let patience = Duration.seconds(3)
    /// What every resolver takes in a datagram, RFC 1035 section 4.2.1.
    private static let datagramBytes = 512

    private static func limit(_ query: DNSMessage) -> Int {
        min(max(query.datagramBytes.map(Int.init) ?? datagramBytes, datagramBytes), Int(DNSMessage.ownDatagramBytes))
    }

    /// Names, shared with whoever changes them.
    package final class Names: Sendable {
        private let table = Mutex(NameTable())
        private let firstAsked = Mutex<Others?>(nil)

        /// Names that somebody else knows; nil for a question that is none of theirs.
        package typealias Others = @Sendable (_ query: DNSMessage, _ sender: IPAddress) -> NameTable.Decision?

        package init() {}

        /// Lets somebody else answer before containers' names are looked at; nil: nobody.
        package func ask(first others: Others?) { firstAsked.withLock { $0 = others } }

        package func set(_ entries: [NameTable.Entry], of containerID: String) {
            table.withLock { $0.set(entries, of: containerID) }
        }
        func decide(_ query: DNSMessage, from sender: IPAddress) -> NameTable.Decision {
            if let decision = firstAsked.withLock({ $0 })?(query, sender) { return decision }
            return table.withLock { $0.decide(query, from: sender) }
        }
    }

    private let machine: MachineNetwork
    private let names: Names
    /// The machine's name servers, asked anew for each question: the file changes.
    private let nameServers: @Sendable () -> [IPAddress]
    private let state = Mutex(State())

    private struct State {
        var listening: [IPAddress: [Task<Void, Never>]] = [:]
        var underWay: [Work: Int] = [:]
    }

    private enum Work: Hashable {
        case forward
        case connection
    }

    package init(machine: MachineNetwork, names: Names, nameServers: @escaping @Sendable () -> [IPAddress]) {
        self.machine = machine
        self.names = names
        self.nameServers = nameServers
    }

    /// Answers at an address of the machine from now on.
    package func listen(at address: IPAddress) async throws(SystemError) {
        guard state.withLock({ $0.listening[address] == nil }) else { return }
        let endpoint = InternetEndpoint(address, Self.port)
        let sockets = try await machine.run { () throws(SystemError) in
            [
                SharedFD(try InternetSocket.bind(.datagram, to: endpoint)),
                SharedFD(try InternetSocket.bind(.stream, to: endpoint)),
            ]
        }
        let tasks = [
            Task { await self.serveDatagrams(sockets[0]) }, Task { await self.serveConnections(sockets[1]) },
        ]
        state.withLock { $0.listening[address] = tasks }
    }

    /// Stops at an address; returns when the sockets are closed.
    package func stop(at address: IPAddress) async {
        for task in state.withLock({ $0.listening.removeValue(forKey: address) }) ?? [] {
            task.cancel()
            await task.value
        }
    }

    package func stopEverywhere() async {
        for address in state.withLock({ Array($0.listening.keys) }) { await stop(at: address) }
    }

    private func serveDatagrams(_ socket: SharedFD) async {
        var room = [UInt8](repeating: 0, count: 4096)
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do throws(SystemError) {
                    guard let (count, sender) = try InternetSocket.receive(socket.raw, into: &room) else {
                        try await Readiness.shared.readable(socket.raw)
                        continue
                    }
                    let bytes = Array(room[..<count])
                    guard let query = DNSMessage(bytes) else { continue }
                    switch names.decide(query, from: sender.address) {
                    case .ignore: continue
                    case .reply(let reply):
                        try InternetSocket.send(reply.encoded(limit: Self.limit(query)), to: sender, from: socket.raw)
                    case .follow(let reply, let question, let servers):
                        guard enter(.forward, Self.forwardLimit) else { continue }
                        group.addTask {
                            let whole = await self.follow(reply, question, servers, .datagram)
                            self.leave(.forward)
                            try? InternetSocket.send(whole.encoded(limit: Self.limit(query)), to: sender, from: socket.raw)
                        }
                    case .forward(let servers):
                        guard enter(.forward, Self.forwardLimit) else { continue }
                        group.addTask {
                            let reply = await self.forward(query, bytes, to: servers, .datagram)
                            self.leave(.forward)
                            try? InternetSocket.send(reply, to: sender, from: socket.raw)
                        }
                    }
                } catch {
                    // A sender's error (its port was closed) arrives here and concerns nobody else.
                    if error.code == .canceled { break }
                }
            }
            group.cancelAll()
        }
        withExtendedLifetime(socket) {}
    }

    private func serveConnections(_ listener: SharedFD) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do throws(SystemError) {
                    let connection = SharedFD(try MessageSocket.accept(from: listener.raw))
                    guard enter(.connection, Self.connectionLimit) else { continue }
                    group.addTask {
                        await self.serve(connection)
                        self.leave(.connection)
                    }
                } catch {
                    do throws(SystemError) { try await Readiness.shared.readable(listener.raw) } catch { break }
                }
            }
            group.cancelAll()
        }
        withExtendedLifetime(listener) {}
    }

    /// Questions on one connection, each behind its length, until it ends or says nothing for a while.
    private func serve(_ connection: SharedFD) async {
        guard let peer = try? InternetSocket.peer(connection.raw) else { return }
        let stream = DNSStream(connection)
        while let bytes = try? await stream.receive(within: Self.patience * 3), let query = DNSMessage(bytes) {
            let reply: [UInt8]
            switch names.decide(query, from: peer.address) {
            case .ignore: return
            case .reply(let message): reply = message.encoded
            case .follow(let message, let question, let servers):
                reply = await follow(message, question, servers, .stream).encoded
            case .forward(let servers): reply = await forward(query, bytes, to: servers, .stream)
            }
            guard (try? await stream.send(reply, within: Self.patience)) != nil else { return }
        }
    }

    private func enter(_ work: Work, _ limit: Int) -> Bool {
        state.withLock { state in
            guard state.underWay[work, default: 0] < limit else { return false }
            state.underWay[work, default: 0] += 1
            return true
        }
    }

    private func leave(_ work: Work) { state.withLock { $0.underWay[work]! -= 1 } }

    /// An answer that ends in another name, with what other name servers say of that.
    private func follow(
        _ reply: DNSMessage, _ question: DNSQuestion, _ servers: [IPAddress], _ kind: InternetSocket.Kind
    ) async -> DNSMessage {
        let query = DNSMessage(id: 0, flags: DNSMessage.recursionDesired, questions: [question])
        let bytes = await forward(query, query.encoded, to: servers, kind)
        var whole = reply
        guard let answer = DNSMessage(bytes) else { return whole }
        whole.answers += answer.answers
        whole.authorities = answer.authorities
        // The name behind the alias decides, RFC 6604 section 2.1.
        whole.flags = whole.flags & ~0xf | answer.code | answer.flags & DNSMessage.truncated
        return whole
    }

    /// What the first name server that answers says, under the asker's id; else that there was a failure.
    private func forward(
        _ query: DNSMessage, _ bytes: [UInt8], to servers: [IPAddress], _ kind: InternetSocket.Kind
    ) async -> [UInt8] {
        for server in servers.isEmpty ? nameServers() : servers where !Task.isCancelled {
            let id = UInt16.random(in: 0...UInt16.max)
            let asked = [UInt8(id >> 8), UInt8(id & 0xff)] + bytes.dropFirst(2)
            guard let answer = try? await ask(asked, query, id: id, InternetEndpoint(server, Self.port), kind) else { continue }
            return Array(bytes.prefix(2)) + answer.dropFirst(2)
        }
        return query.reply(.serverFailure, authoritative: false).encoded
    }

    private func ask(
        _ bytes: [UInt8], _ query: DNSMessage, id: UInt16, _ server: InternetEndpoint, _ kind: InternetSocket.Kind
    ) async throws(SystemError) -> [UInt8] {
        let socket = try await machine.run { () throws(SystemError) in
            SharedFD(try InternetSocket.connect(kind, to: server))
        }
        let stream = DNSStream(socket)
        let deadline = ContinuousClock.now + Self.patience
        if kind == .stream { try await stream.send(bytes, within: Self.patience) } else {
            _ = try Descriptors.write(bytes, to: socket.raw)
        }
        while true {
            let left = deadline - ContinuousClock.now
            let answer =
                kind == .stream ? try await stream.receive(within: left) : try await stream.receiveDatagram(within: left)
            guard let message = DNSMessage(answer), message.isResponse, message.id == id, message.questions == query.questions
            else { continue }
            return answer
        }
    }
}
