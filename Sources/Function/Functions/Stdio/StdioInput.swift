internal import Glibc
internal import JSON
package import Lambda
internal import Linux

/// What a program finds on its standard input, out of the event of its call.
package enum StdioInput {
    /// Of a file that has arrived. More would stand in the node's memory for each call.
    package static let fileBytesLimit = 64 << 20

    /// Where the bytes are.
    package enum Source: Hashable, Sendable {
        case bytes([UInt8])
        /// A file below a directory of this machine.
        case file(directory: String, name: String)
    }

    package struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        package var problem: String
        package var description: String { problem }
    }

    /// - Parameter isFromDirectory: the event comes from a directory that the node watches. Only then are files read: the
    ///   node may read more than whoever made up an event.
    package static func source(
        of payload: [UInt8], _ input: FunctionSettings.Input, isFromDirectory: Bool
    ) throws(Malformed) -> Source {
        switch input {
        case .event: return .bytes(payload)
        case .body: return .bytes(try bodies(of: payload))
        case .file:
            guard isFromDirectory else {
                throw Malformed(problem: "the function's input is a file (forkless:input), and this call does not come from a directory")
            }
            return try file(in: payload)
        }
    }

    /// The body of an HTTP event, or of each record with a line end between them.
    private static func bodies(of payload: [UInt8]) throws(Malformed) -> [UInt8] {
        let event = try parse(payload)
        if let body = event["body"] { return try text(body, isBase64: event["isBase64Encoded"]?.bool ?? false) }
        guard let records = event["Records"]?.array, !records.isEmpty else {
            throw Malformed(problem: "the event has neither \"body\" nor \"Records\" with bodies")
        }
        var all: [UInt8] = []
        for (index, record) in records.enumerated() {
            guard let body = record["body"] else { throw Malformed(problem: "record \(index + 1) of the event has no \"body\"") }
            if index > 0 { all.append(10) }
            all += try text(body, isBase64: record["isBase64Encoded"]?.bool ?? false)
        }
        return all
    }

    private static func text(_ value: JSONValue, isBase64: Bool) throws(Malformed) -> [UInt8] {
        if value.isNull { return [] }
        guard let text = value.string else { return JSONWriter.bytes(value) }
        guard isBase64 else { return Array(text.utf8) }
        guard let bytes = Base64.bytes(text) else { throw Malformed(problem: "the body is said to be base64 and is not") }
        return bytes
    }

    /// The object of the first record, S3-shaped: `s3.bucket.arn` names the directory, `s3.object.key` the file.
    private static func file(in payload: [UInt8]) throws(Malformed) -> Source {
        let event = try parse(payload)
        guard let records = event["Records"]?.array, let first = records.first?["s3"] else {
            throw Malformed(problem: "the event has no record with a file")
        }
        guard records.count == 1 else {
            throw Malformed(problem: "the event has \(records.count) files: a program reads one, so give the source a batch size of 1")
        }
        guard let arn = first["bucket", "arn"]?.string, let key = first["object", "key"]?.string, let name = decoded(key) else {
            throw Malformed(problem: "the record names no file: s3.bucket.arn and s3.object.key are needed")
        }
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[2] == "directory", parts[5].hasPrefix("/") else {
            throw Malformed(problem: "\(arn) is no directory")
        }
        let directory = parts[5].prefix { $0 != "?" }
        return .file(directory: String(directory), name: name)
    }

    private static func parse(_ payload: [UInt8]) throws(Malformed) -> JSONValue {
        do { return try JSONParser.parse(payload) } catch { throw Malformed(problem: "the event is no JSON: \(error)") }
    }

    /// A key as S3 encodes it: percent signs, and "+" for a space.
    static func decoded(_ key: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(key.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The bytes of a source; a file is read on a thread that may block, below its directory and through no link that
    /// leads out of it.
    static func read(_ source: Source) async throws(SystemError) -> [UInt8] {
        switch source {
        case .bytes(let bytes): return bytes
        case .file(let directory, let name):
            return try await BlockingPool.shared.run { () throws(SystemError) -> [UInt8] in
                let place = try Files.place(directory)
                let file = try PathResolution.open(
                    name, inRoot: place.raw, flags: O_RDONLY | O_NONBLOCK | O_CLOEXEC, resolve: PathResolution.beneath)
                let status = try Files.status(of: file.raw, name: name)
                guard status.kind == .regular else {
                    throw SystemError("read", "\(directory)/\(name)", code: .invalid, advice: "It is no regular file.")
                }
                guard status.size <= fileBytesLimit else {
                    throw SystemError(
                        "read", "\(directory)/\(name)", code: .messageTooLong,
                        advice: "A program's input is at most \(fileBytesLimit >> 20) MB; give it the directory with FileSystemConfigs.")
                }
                return try Files.readAll(file.raw, limit: fileBytesLimit, name: name)
            }
        }
    }
}
