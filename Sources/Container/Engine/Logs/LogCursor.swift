import Linux

/// A place in a log from which it is read on, over rotations.
struct LogCursor: Sendable {
    private let directory: String
    private let since: Timestamp?
    private var joiner = LogJoiner()
    private var file: LogFiles.File?
    private var offset = 0
    /// Files that come after the one being read.
    private var newer: [LogFiles.File] = []

    private static let chunkBytes = 64 << 10

    init(directory: String, since: Timestamp?) {
        self.directory = directory
        self.since = since
    }

    /// The next lines; nil when there are none for now.
    mutating func next() async throws(SystemError) -> [LogLine]? {
        while true {
            if let file {
                let bytes = try await read(file)
                offset += bytes.count
                let lines = wanted(joiner.add(bytes))
                if !lines.isEmpty { return lines }
                if !bytes.isEmpty { continue }
            }
            guard try await moveOn() else { return nil }
        }
    }

    /// The lines whose ends did not come: for a program that has ended.
    mutating func finish() -> [LogLine] { wanted(joiner.finish()) }

    private func wanted(_ lines: [LogLine]) -> [LogLine] {
        guard let since else { return lines }
        return lines.filter { $0.time >= since }
    }

    private func read(_ file: LogFiles.File) async throws(SystemError) -> [UInt8] {
        let offset = offset
        return try await BlockingPool.shared.run { () throws(SystemError) in
            try Files.read(file.fd.raw, from: offset, count: Self.chunkBytes, name: "the log")
        }
    }

    /// At the end of a file: whether there is more to read, in it or in a newer one.
    private mutating func moveOn() async throws(SystemError) -> Bool {
        if !newer.isEmpty {
            file = newer.removeFirst()
            offset = 0
            return true
        }
        let directory = directory
        let files = try await BlockingPool.shared.run { () throws(SystemError) in
            try LogFiles.open(in: directory).files
        }
        guard let file else {
            newer = files
            return newer.isEmpty ? false : try await moveOn()
        }
        // Nothing is written to a file after it was renamed, so when a newer one is seen the rest of this one can
        // be read; only then is it left.
        if let position = files.firstIndex(where: { $0.inode == file.inode }) {
            newer = Array(files[(position + 1)...])
        } else {
            newer = files
        }
        return !newer.isEmpty
    }
}
