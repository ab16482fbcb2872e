package import Images
package import Linux
internal import OCI
internal import Synchronization

/// Results of steps by their keys: `KEY.json` in one directory. The layers themselves are blobs of the image store, held
/// by a lease for each record.
///
/// Its calls block on the disk.
///
/// Invariants (each with a test in BuildCacheTests):
/// 1. A record that is found has its layer in the store, for as long as the caller's lease lives.
/// 2. It holds no more than `limits`: of more, those not used for longest go.
/// 3. A file that cannot be read, or whose layer is gone, is no record, and goes.
package final class BuildCache: Sendable {
    package struct Limits: Hashable, Sendable {
        package var records = 4096
        /// Sum of the blobs.
        package var bytes = 20 << 30

        package init() {}
    }

    private struct Entry {
        var record: CacheRecord
        var lease: ImageLease
    }

    package let directory: String
    private let store: ImageStore
    private let limits: Limits
    private let entries = Mutex<[Digest: Entry]>([:])

    private static let purpose = "the build cache"
    private static let suffix = ".json"
    private static let recordBytes = 1 << 20

    /// Opens a cache, making the directory if it is missing.
    package init(directory: String, store: ImageStore, limits: Limits = Limits()) throws(BuildFailure) {
        self.directory = directory
        self.store = store
        self.limits = limits
        let names = try building { () throws(SystemError) in
            try Files.makeDirectories(directory, mode: 0o700)
            return try Files.list(directory)
        }
        var found: [Digest: Entry] = [:]
        for name in names {
            let key = name.hasSuffix(Self.suffix) ? Digest("sha256:" + name.dropLast(Self.suffix.utf8.count)) : nil
            if let key, let entry = try read(key) {
                found[key] = entry
            } else {
                try building { () throws(SystemError) in try Files.removeTree(directory + "/" + name) }
            }
        }
        entries.withLock { [found] in $0 = found }
        try trim(to: limits)
    }

    private func read(_ key: Digest) throws(BuildFailure) -> Entry? {
        guard let bytes = try? Files.read(path(key), limit: Self.recordBytes), let record = CacheRecord(bytes) else {
            return nil
        }
        let lease = store.lease(for: Self.purpose)
        guard try hold(record, by: lease) else { return nil }
        return Entry(record: record, lease: lease)
    }

    /// False when the layer is not in the store any more.
    private func hold(_ record: CacheRecord, by lease: ImageLease) throws(BuildFailure) -> Bool {
        guard let layer = record.layer else { return true }
        do throws(ImageFailure) { return try store.claim(layer.digest, lease: lease) == layer.size } catch {
            throw BuildFailure(error)
        }
    }

    /// What a step gave before. Its layer is held by `lease` from then on.
    package func find(_ key: StepKey, now: Timestamp, lease: ImageLease) throws(BuildFailure) -> CacheRecord? {
        guard var record = entries.withLock({ $0[key.digest]?.record }) else { return nil }
        guard try hold(record, by: lease) else {
            try remove([key.digest])
            return nil
        }
        record.used = now
        let used = record
        entries.withLock { $0[key.digest]?.record = used }
        // Lost with the power, the order of removal is another one, and nothing else.
        try building { () throws(SystemError) in try Files.replaceInMemory(path(key.digest), with: used.encoded) }
        return record
    }

    /// Keeps what a step gave.
    package func add(_ record: CacheRecord, for key: StepKey) throws(BuildFailure) {
        let lease = store.lease(for: Self.purpose)
        guard try hold(record, by: lease) else { return }
        try building { () throws(SystemError) in try Files.replaceInMemory(path(key.digest), with: record.encoded) }
        entries.withLock { $0[key.digest] = Entry(record: record, lease: lease) }
        try trim(to: limits)
    }

    /// All records.
    package var records: [CacheRecord] { entries.withLock { $0.values.map(\.record) } }

    /// Removes the records that were not used since a time; nil: all. Their layers go with the next collection of the
    /// store, as far as nothing else needs them.
    ///
    /// - Returns: how many records went.
    package func prune(unusedSince time: Timestamp? = nil) throws(BuildFailure) -> Int {
        let keys = entries.withLock { entries in
            entries.filter { entry in time.map { entry.value.record.used < $0 } ?? true }.map(\.key)
        }
        try remove(keys)
        return keys.count
    }

    /// Runs calls of a cache away from the cooperative pool.
    package static func inBackground<Value: Sendable>(
        _ body: @escaping @Sendable () throws(BuildFailure) -> Value
    ) async throws(BuildFailure) -> Value {
        try await BuildThread.run { _ throws(BuildFailure) in try body() }
    }

    private func trim(to limits: Limits) throws(BuildFailure) {
        let tooMany = entries.withLock { entries in
            var count = entries.count
            var bytes = entries.values.reduce(0) { $0 + $1.record.bytes }
            var keys: [Digest] = []
            for (key, entry) in entries.sorted(by: { ($0.value.record.used, $0.key) < ($1.value.record.used, $1.key) }) {
                guard count > limits.records || bytes > limits.bytes else { break }
                count -= 1
                bytes -= entry.record.bytes
                keys.append(key)
            }
            return keys
        }
        try remove(tooMany)
    }

    private func remove(_ keys: [Digest]) throws(BuildFailure) {
        for key in keys {
            try building { () throws(SystemError) in try Files.removeTree(path(key)) }
            entries.withLock { $0[key] = nil }
        }
    }

    private func path(_ key: Digest) -> String { "\(directory)/\(key.hex)\(Self.suffix)" }
}
