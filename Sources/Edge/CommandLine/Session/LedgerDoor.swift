import HTTPServing
import JSON
import Linux
import Synchronization

/// The node's ledger and reports, as it serves them at RUN/lambda.sock below /forkless/v1/.
struct LedgerDoor {
    private let socket: String

    init(_ directories: NodeDirectories) { socket = directories.lambdaSocket }

    /// Asks for a page and gives its parts to `onPart` as they come.
    ///
    /// - Throws: `CommandFailure` with the node's sentence when it refuses or does not answer.
    func get(_ page: String, _ query: [(String, String)], onPart: @Sendable ([UInt8]) throws -> Void) async throws {
        let loops = ServingLoops(count: 1)
        do {
            let target = "/forkless/v1/\(page)" + Self.encoded(query)
            try await Self.get(HTTPCall(to: .unix(socket), on: loops.loops[0]), target, onPart)
        } catch let failure as HTTPServingFailure {
            await loops.shutDown()
            guard failure.kind == .unreachable else { throw CommandFailure("read the ledger: \(failure)") }
            throw CommandFailure("read the ledger: no node serves at \(socket). Start one with `forkless node`, or name its --run.")
        } catch {
            await loops.shutDown()
            throw error
        }
        await loops.shutDown()
    }

    /// The whole of a page.
    func get(_ page: String, _ query: [(String, String)]) async throws -> [UInt8] {
        let parts = Collected()
        try await get(page, query) { parts.add($0) }
        return parts.bytes
    }

    private static func get(_ call: HTTPCall, _ target: String, _ onPart: ([UInt8]) throws -> Void) async throws {
        let answer = try await call.stream(HTTPRequest(method: "GET", target: target))
        guard answer.status == 200 else {
            var body: [UInt8] = []
            for try await part in answer where body.count < 1 << 16 { body += part }
            throw CommandFailure(sentence(body, status: answer.status))
        }
        for try await part in answer { try onPart(part) }
    }

    /// What a refusal says: the member Message of JSON, or plain text.
    private static func sentence(_ body: [UInt8], status: Int) -> String {
        if let message = (try? JSONParser.parse(body))?["Message"]?.string { return message }
        let text = String(decoding: body, as: UTF8.self).split(separator: "\n").joined(separator: " ")
        return text.isEmpty ? "read the ledger: the node answered with status \(status)" : text
    }

    static func encoded(_ query: [(String, String)]) -> String {
        query.isEmpty ? "" : "?" + query.map { "\($0.0)=\(encoded($0.1))" }.joined(separator: "&")
    }

    static func encoded(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        return String(
            decoding: text.utf8.flatMap { plain.contains($0) ? [$0] : [UInt8(ascii: "%"), digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}

/// Bytes that come in parts, whose lines are wanted whole.
final class Collected: Sendable {
    private let state = Mutex<[UInt8]>([])

    var bytes: [UInt8] { state.withLock { $0 } }

    func add(_ part: [UInt8]) { state.withLock { $0 += part } }

    /// The lines that are complete with this part; what is left waits for the next.
    func lines(with part: [UInt8]) -> [[UInt8]] {
        state.withLock { waiting in
            waiting += part
            guard let end = waiting.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
            let lines = waiting[..<end].split(separator: UInt8(ascii: "\n")).map(Array.init)
            waiting.removeSubrange(...end)
            return lines
        }
    }
}
