internal import CZlib

/// Header blocks of SPDY/3, section 2.6.10: names and values by length, compressed by zlib over the whole connection.
///
/// Invariant: a block unpacks to `limit` bytes at most, whatever it was packed from
/// (`a header block that unpacks without end is refused`).
final class SPDYInflater {
    static let limit = 64 << 10

    private var stream = z_stream()

    init() { precondition(czlib_inflate_init(&stream) == Z_OK, "zlib has no memory") }
    deinit { inflateEnd(&stream) }

    /// The names, in small letters, and values of a block; nil for what is none.
    func headers(_ block: [UInt8]) -> [String: String]? {
        guard let bytes = unpacked(block) else { return nil }
        var reader = BigEndianReader(bytes[...])
        guard let count = reader.number(4), count <= 256 else { return nil }
        var headers: [String: String] = [:]
        for _ in 0..<count {
            guard let name = reader.text(), let value = reader.text() else { return nil }
            headers[name.lowercased()] = value
        }
        return headers
    }

    private func unpacked(_ block: [UInt8]) -> [UInt8]? {
        var block = block
        let limit = Self.limit
        let unpacked = block.withUnsafeMutableBufferPointer { source -> [UInt8]? in
            stream.next_in = source.baseAddress
            stream.avail_in = uInt(source.count)
            var isWhole = false
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { room, made in
                stream.next_out = room.baseAddress
                stream.avail_out = uInt(limit)
                isWhole = inflateAll()
                made = limit - Int(stream.avail_out)
            }
            return isWhole ? bytes : nil
        }
        stream.next_in = nil
        stream.next_out = nil
        return unpacked
    }

    private func inflateAll() -> Bool {
        while true {
            switch inflate(&stream, Z_SYNC_FLUSH) {
            case Z_NEED_DICT:
                var dictionary = SPDYDictionary.bytes
                guard inflateSetDictionary(&stream, &dictionary, uInt(dictionary.count)) == Z_OK else { return false }
            case Z_OK:
                if stream.avail_in == 0, stream.avail_out > 0 { return true }
                if stream.avail_out == 0 { return false }
            case Z_BUF_ERROR: return stream.avail_in == 0 && stream.avail_out > 0
            default: return false
            }
        }
    }
}

/// The other way.
final class SPDYDeflater {
    private var stream = z_stream()

    init() {
        var dictionary = SPDYDictionary.bytes
        precondition(
            czlib_deflate_init(&stream) == Z_OK
                && deflateSetDictionary(&stream, &dictionary, uInt(dictionary.count)) == Z_OK, "zlib has no memory")
    }
    deinit { deflateEnd(&stream) }

    func block(_ headers: [(name: String, value: String)]) -> [UInt8] {
        var plain: [UInt8] = []
        plain.appendBigEndian(UInt32(headers.count))
        for (name, value) in headers {
            for text in [name, value] {
                plain.appendBigEndian(UInt32(text.utf8.count))
                plain += text.utf8
            }
        }
        let bound = plain.count * 2 + 128
        let packed = plain.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = uInt(source.count)
            return [UInt8](unsafeUninitializedCapacity: bound) { room, made in
                stream.next_out = room.baseAddress
                stream.avail_out = uInt(bound)
                precondition(deflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_in == 0, "zlib cannot pack")
                made = bound - Int(stream.avail_out)
            }
        }
        stream.next_in = nil
        stream.next_out = nil
        return packed
    }
}

/// Numbers and texts of a block, bounds looked at.
struct BigEndianReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func number(_ size: Int) -> Int? {
        guard rest.count >= size else { return nil }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func text() -> String? {
        guard let count = number(4), count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ number: UInt32) {
        append(UInt8(truncatingIfNeeded: number >> 24))
        append(UInt8(truncatingIfNeeded: number >> 16))
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }
}
