internal import Glibc
import Linux

/// Writes a layer entry by entry: of files that are listed rather than gathered in one directory.
///
/// Entries come in the order in which they are added, with the times and owners that the caller gives; nothing of this
/// machine gets in besides, so that the same entries give the same digest.
/// (test: `a layer that is composed is that of a directory with the same files`)
package final class LayerComposer {
    // Used by one thread: the one that composes.
    private let output: ArchiveOutput
    private var result = WrittenLayer()
    private var names: Set<String> = []

    package init(_ sink: any ByteSink, compression: Compression = .gzip, level: CInt = 6) throws(ArchiveFailure) {
        output = try ArchiveOutput(sink, compression: compression, level: level)
    }

    /// Adds what has no contents: a directory, a link, a device.
    package func add(_ record: TarRecord) throws(ArchiveFailure) {
        precondition(record.size == 0, "contents come with the file")
        try begin(record)
    }

    /// Adds a file with these contents.
    package func add(_ record: TarRecord, contents: [UInt8]) throws(ArchiveFailure) {
        var record = record
        record.size = contents.count
        try begin(record)
        try output.write(contents)
        try output.write(record.padding)
    }

    /// Adds a file with what an open one holds, `record.size` bytes from where it stands.
    package func add(_ record: TarRecord, copying fd: CInt) throws(ArchiveFailure) {
        try begin(record)
        var left = record.size
        while left > 0 {
            let room = output.room
            let count = read(fd, room.baseAddress, min(room.count, left))
            let code = errno
            if count < 0, code == EINTR { continue }
            guard count >= 0 else {
                throw ArchiveFailure(SystemError("read", record.name, code: Errno(code)), entry: record.name)
            }
            guard count > 0 else {
                throw ArchiveFailure(.refused, entry: record.name, "it became shorter while it was read; try again.")
            }
            left -= count
            try output.advance(count)
        }
        try output.write(record.padding)
    }

    package func finish() throws(ArchiveFailure) -> WrittenLayer {
        try output.write(TarRecord.end)
        result.totals = try output.finish()
        return result
    }

    private func begin(_ record: TarRecord) throws(ArchiveFailure) {
        guard record.name.utf8.count <= ArchiveLimits.nameBytes else {
            throw ArchiveFailure(.tooLarge, entry: record.name, "its name is too long for an archive.")
        }
        precondition(names.insert(record.name).inserted, "each name is added once")
        result.entries += 1
        try output.write(record.header)
    }
}
