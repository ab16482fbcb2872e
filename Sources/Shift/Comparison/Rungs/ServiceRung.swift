package import Linux

/// The program behind the address of a service, whose replicas run already: each call is a connection on which the input
/// goes there, and the output comes back until the end, as inetd has it.
package struct ServiceRung: ComparedRung {
    package let label = RungLabel(name: "service", title: "service")
    private let endpoint: InternetEndpoint

    package init(_ endpoint: InternetEndpoint) { self.endpoint = endpoint }

    /// Longest answer that is compared.
    private static let answerLimit = 256 << 20
    /// Without a byte for so long a call has failed.
    private static let patienceMilliseconds: Int32 = 30_000

    package func prepare() async throws(ComparisonError) {
        // A service that nobody answers for fails here and not in every call.
        let endpoint = endpoint
        try await onThread { () throws(ComparisonError) in _ = try Self.connect(endpoint) }
    }

    package func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        let endpoint = endpoint
        return try await onThread { () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let socket = try Self.connect(endpoint)
            let connected = Clock.monotonicNanoseconds()
            do {
                var rest = input[...]
                while !rest.isEmpty {
                    guard let count = try Files.writeAvailable(rest, to: socket.raw) else {
                        guard try Descriptors.isWritable(socket.raw, withinMilliseconds: Self.patienceMilliseconds) else {
                            throw ComparisonError("call \(endpoint): it takes no input")
                        }
                        continue
                    }
                    rest = rest.dropFirst(count)
                }
                MessageSocket.endOutput(socket.raw)
                let output = try Self.readAll(socket.raw, endpoint)
                let ended = Clock.monotonicNanoseconds()
                return CallSample(
                    startNanoseconds: connected - began, callNanoseconds: ended - began, cpuMicroseconds: nil, output: output,
                    failure: output.isEmpty && !input.isEmpty ? "the service closed the connection without an answer" : nil)
            } catch let failure as ComparisonError {
                throw failure
            } catch { throw ComparisonError("call \(endpoint): \(error)") }
        }
    }

    private static func connect(_ endpoint: InternetEndpoint) throws(ComparisonError) -> OwnedFD {
        do {
            let socket = try InternetSocket.connect(.stream, to: endpoint)
            let raw = socket.raw
            guard try Descriptors.isWritable(raw, withinMilliseconds: patienceMilliseconds) else {
                throw ComparisonError("connect to \(endpoint): nobody answers")
            }
            // A refused connection is writable, too.
            guard try InternetSocket.peer(raw) != nil else { throw ComparisonError("connect to \(endpoint): it was refused") }
            return socket
        } catch let failure as ComparisonError {
            throw failure
        } catch { throw ComparisonError("connect to \(endpoint): \(error)") }
    }

    private static func readAll(_ socket: CInt, _ endpoint: InternetEndpoint) throws -> [UInt8] {
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            guard let count = try Files.readAvailable(socket, into: &room) else {
                guard try Descriptors.isReadable(socket, withinMilliseconds: patienceMilliseconds) else {
                    throw ComparisonError("call \(endpoint): it does not answer")
                }
                continue
            }
            guard count > 0 else { return all }
            all += room[..<count]
            guard all.count <= answerLimit else { throw ComparisonError("call \(endpoint): its answer does not end") }
        }
    }

    package func idleBytes() async -> Reading<Int> { .unavailable("the service's replicas run already: kubectl top pods") }
    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        .unavailable("the service's replicas run already: kubectl top pods")
    }
    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        throw ComparisonError("what runs behind an address cannot be replaced by the probe")
    }
    package func close() async {}
}
