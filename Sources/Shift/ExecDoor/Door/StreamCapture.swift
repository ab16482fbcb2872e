internal import Linux
internal import Synchronization

/// Reads a stream to its end and keeps the beginning.
enum StreamCapture {
    private static let chunkBytes = 64 << 10

    /// From a socket, pipe or the like of ours.
    ///
    /// - Returns: what came, and whether it came to a proper end.
    static func read(_ source: SharedFD, keeping limit: Int) async -> (CapturedStream, isWhole: Bool) {
        var stream = CapturedStream()
        var room = [UInt8](repeating: 0, count: chunkBytes)
        do throws(SystemError) {
            try Files.setNonBlocking(source.raw)
            while true {
                guard let count = try Files.readAvailable(source.raw, into: &room) else {
                    try await Readiness.shared.readable(source.raw)
                    continue
                }
                if count == 0 { return (stream, true) }
                stream.add(room[..<count], keeping: limit)
            }
        } catch { return (stream, false) }
    }

    /// From a file, from a place on.
    static func read(_ file: SharedFD, from start: Int, keeping limit: Int) -> CapturedStream {
        var stream = CapturedStream()
        var at = start
        while let bytes = try? Files.read(file.raw, from: at, count: chunkBytes), !bytes.isEmpty {
            stream.add(bytes[...], keeping: limit)
            at += bytes.count
        }
        return stream
    }
}

extension CapturedStream {
    mutating func add(_ bytes: ArraySlice<UInt8>, keeping limit: Int) {
        total += bytes.count
        self.bytes += bytes.prefix(max(limit - self.bytes.count, 0))
    }

    static var unseen: CapturedStream {
        var stream = CapturedStream()
        stream.isObserved = false
        return stream
    }
}
