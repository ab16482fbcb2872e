// A function in Swift: the Runtime API of AWS Lambda with nothing but the standard library and the C library.
//
//     swiftc -O -static-executable -o bootstrap bootstrap.swift
//
// It answers each event with the word count of its "text", and an event without one with an error.
import Glibc

/// A connection to the Runtime API, kept open.
struct RuntimeAPI {
    struct Event {
        var id: String
        var body: [UInt8]
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let descriptor: CInt
    private let host: String
    private var buffer: [UInt8] = []

    /// Connects to where AWS_LAMBDA_RUNTIME_API says.
    init() throws {
        guard let text = getenv("AWS_LAMBDA_RUNTIME_API") else {
            throw Failure(description: "AWS_LAMBDA_RUNTIME_API is not set: this program runs as a function")
        }
        host = String(cString: text)
        let parts = host.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else {
            throw Failure(description: "AWS_LAMBDA_RUNTIME_API is \(host), which is no address")
        }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr(String(parts[0]))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "connect to \(host): \(String(cString: strerror(errno)))") }
    }

    /// Waits for the next event.
    mutating func next() throws -> Event {
        try send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: \(host)\r\n\r\n", [])
        let (head, body) = try receive()
        guard let id = Self.field("lambda-runtime-aws-request-id", in: head) else {
            throw Failure(description: "an event came without a request id")
        }
        return Event(id: id, body: body)
    }

    /// Gives the answer to an event, or says what went wrong.
    mutating func answer(_ event: Event, _ result: Result<[UInt8], Failure>) throws {
        let (path, body): (String, [UInt8]) =
            switch result {
            case .success(let body): ("response", body)
            case .failure(let failure):
                ("error", Array("{\"errorType\":\"Failure\",\"errorMessage\":\"\(failure)\"}".utf8))
            }
        try send(
            "POST /2018-06-01/runtime/invocation/\(event.id)/\(path) HTTP/1.1\r\nHost: \(host)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n", body)
        _ = try receive()
    }

    private func send(_ head: String, _ body: [UInt8]) throws {
        var bytes = Array(head.utf8) + body
        while !bytes.isEmpty {
            let count = write(descriptor, bytes, bytes.count)
            guard count > 0 else { throw Failure(description: "write to \(host): \(String(cString: strerror(errno)))") }
            bytes.removeFirst(count)
        }
    }

    private mutating func receive() throws -> (head: String, body: [UInt8]) {
        let end: [UInt8] = [13, 10, 13, 10]
        while true {
            if let at = buffer.firstRange(of: end) {
                let head = String(decoding: buffer[..<at.lowerBound], as: UTF8.self)
                let length = Self.field("content-length", in: head).flatMap { Int($0) } ?? 0
                if buffer.count >= at.upperBound + length {
                    let body = Array(buffer[at.upperBound..<(at.upperBound + length)])
                    buffer.removeFirst(at.upperBound + length)
                    return (head, body)
                }
            }
            var room = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &room, room.count)
            // The service has closed: the function is not needed any more.
            if count == 0 { exit(0) }
            guard count > 0 else { throw Failure(description: "read from \(host): \(String(cString: strerror(errno)))") }
            buffer += room[..<count]
        }
    }

    private static func field(_ name: String, in head: String) -> String? {
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name { return String(parts[1].drop { $0 == " " }) }
        }
        return nil
    }
}

/// The function: the words of an event's "text", found without a JSON library.
func words(of event: [UInt8]) -> Result<[UInt8], RuntimeAPI.Failure> {
    let text = String(decoding: event, as: UTF8.self)
    guard let key = text.firstRange(of: "\"text\":\"") else {
        return .failure(RuntimeAPI.Failure(description: "the event has no text"))
    }
    let count = text[key.upperBound...].prefix { $0 != "\"" }.split(separator: " ").count
    return .success(Array("{\"words\":\(count)}".utf8))
}

do {
    var runtime = try RuntimeAPI()
    while true {
        let event = try runtime.next()
        try runtime.answer(event, words(of: event.body))
    }
} catch {
    fputs("\(error)\n", stderr)
    exit(1)
}
