internal import NIOCore
internal import NIOHTTP1

/// The bytes of an answer's head, RFC 9112.
///
/// Invariants:
/// 1. What a field holds never ends its line: an answer with such a field is not written at all
///    (`a header that would end its line is not sent`).
/// 2. The framing of the body is this file's alone: fields of the service that would contradict it are left out
///    (`the framing of an answer is not the service's`).
enum AnswerHead {
    enum Framing: Hashable {
        case length(Int)
        case chunked
        /// The end of the connection is the end of the body: for clients of HTTP/1.0.
        case untilClose
        /// 1xx, 204 and 304 have no body.
        case none
        /// 101: what follows is no HTTP.
        case upgraded
    }

    /// Appends a head. Returns false, with nothing appended, when a field cannot be written.
    static func write(
        _ status: Int, _ headers: HeaderFields, _ framing: Framing, closes: Bool, isOldClient: Bool, date: DateLine,
        to buffer: inout ByteBuffer
    ) -> Bool {
        let begin = buffer.writerIndex
        if status == 200 {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            buffer.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        }
        for field in headers.fields where !isFraming(field.name) {
            guard HeaderFields.isName(field.name), HeaderFields.isValue(field.value) else {
                buffer.moveWriterIndex(to: begin)
                return false
            }
            buffer.writeString(field.name)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        date.write(to: &buffer)
        switch framing {
        case .length(let length):
            buffer.writeStaticString("Content-Length: ")
            write(length, to: &buffer)
            buffer.writeStaticString("\r\n")
        case .chunked: buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .untilClose, .none: break
        case .upgraded: buffer.writeStaticString("Connection: Upgrade\r\n")
        }
        if framing == .upgraded {
        } else if closes {
            buffer.writeStaticString("Connection: close\r\n")
        } else if isOldClient {
            buffer.writeStaticString("Connection: keep-alive\r\n")
        }
        buffer.writeStaticString("\r\n")
        return true
    }

    private static func isFraming(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: HeaderFields.areEqual(name, "date")
        case 10: HeaderFields.areEqual(name, "connection")
        case 14: HeaderFields.areEqual(name, "content-length")
        case 17: HeaderFields.areEqual(name, "transfer-encoding")
        default: false
        }
    }

    /// Decimal digits, without a string in between.
    static func write(_ number: Int, to buffer: inout ByteBuffer) {
        if number >= 10 { write(number / 10, to: &buffer) }
        buffer.writeInteger(UInt8(ascii: "0") + UInt8(number % 10))
    }
}

/// The field Date, made once a second.
final class DateLine {
    private var second = -1
    private var line: [UInt8] = []
    private let now: () -> Int

    /// - Parameter now: seconds since 1970.
    init(now: @escaping () -> Int) { self.now = now }

    func write(to buffer: inout ByteBuffer) {
        let current = now()
        if current != second {
            second = current
            line = Array("Date: \(HTTPDate.text(current))\r\n".utf8)
        }
        buffer.writeBytes(line)
    }
}
