internal import Glibc
internal import Linux
internal import OCI
internal import Synchronization

/// The unpacked layers of a store: `layers/HEX/{tree,done}`, HEX from the chain id, so that a directory stands for a
/// layer and all that lie below it, and images that begin alike share it.
///
/// Invariants (each with a test in LayerShelfTests):
/// 1. A layer that has its name here is whole and on the disk, and its tar has the digest that it was asked for by.
/// 2. A layer is unpacked once, however many ask for it at the same time.
/// 3. What was half done when a process died is gone when the next opens the shelf.
/// 4. A failure leaves nothing behind, and the next request tries again.
/// 5. A blob that stands for a layer which another blob made is read to its end before it is believed.
final class LayerShelf: Sendable {
    /// What a layer is made from.
    struct Order: Sendable {
        var chain: Digest
        /// What the image's config says of its tar.
        var diff: Digest
        var blob: Digest
        var open: @Sendable () throws(ImageFailure) -> OwnedFD
    }

    private struct State {
        var notes: [Digest: LayerNote] = [:]
        var underWay: [Digest: Task<Result<LayerNote, ImageFailure>, Never>] = [:]
        var lastNumber = 0
        /// Which blobs were read, and have the tar that they stand for.
        var proven: Set<Proof> = []
    }

    private struct Proof: Hashable {
        var blob: Digest
        var diff: Digest
    }

    private let directory: String
    private let unpacking: any LayerUnpacking
    private let state = Mutex(State())

    private static let incoming = "incoming"
    private static let done = "done"
    /// Larger than any `done` file.
    private static let noteBytes = 64 << 10

    init(_ directory: String, unpacking: any LayerUnpacking) {
        self.directory = directory
        self.unpacking = unpacking
    }

    /// Makes the directory, removes what was half done and reads what is there. Blocks.
    func open() throws(SystemError) {
        try Files.makeDirectories(directory, mode: 0o700)
        try Files.removeTree(incomingPath)
        try Files.makeDirectory(incomingPath, mode: 0o700)
        var notes: [Digest: LayerNote] = [:]
        for name in try Files.list(directory) where name != Self.incoming {
            guard let chain = Digest("sha256:" + name) ?? Digest("sha512:" + name) else { continue }
            if let note = readNote(chain) {
                notes[chain] = note
            } else {
                try Files.removeTree("\(directory)/\(name)")
            }
        }
        state.withLock { $0.notes = notes }
    }

    private func readNote(_ chain: Digest) -> LayerNote? {
        guard let bytes = try? Files.read("\(place(chain))/\(Self.done)", limit: Self.noteBytes) else { return nil }
        return LayerNote(bytes)
    }

    /// The directory that holds a layer's files.
    func tree(_ chain: Digest) -> String { place(chain) + "/tree" }

    /// What is known of a layer; nil when it is not unpacked.
    func note(_ chain: Digest) -> LayerNote? { state.withLock { $0.notes[chain] } }

    /// Unpacks a layer unless it is here. Somebody must hold its blob, and keeps it in use meanwhile.
    ///
    /// The work goes on when the caller's task is cancelled: others may wait for it.
    func layer(_ order: Order) async throws(ImageFailure) -> LayerNote {
        let note = try await unpacked(order)
        // Compressed otherwise, or not what it says: the directory cannot tell.
        if note.blob != order.blob { try await prove(order) }
        return note
    }

    private func prove(_ order: Order) async throws(ImageFailure) {
        let proof = Proof(blob: order.blob, diff: order.diff)
        guard order.blob != order.diff, !state.withLock({ $0.proven.contains(proof) }) else { return }
        try await Blocking.runLong { cancellation throws(ImageFailure) in
            let blob = SharedFD(try order.open())
            let bytes = ArchiveBytes(
                DescriptorSource(blob, name: "the layer", cancellation: cancellation), limits: .standard)
            do throws(ArchiveFailure) { while !(try bytes.nextBlock()).isEmpty {} } catch { throw ImageFailure(error) }
            try Self.check(bytes.totals, order)
        }
        state.withLock { _ = $0.proven.insert(proof) }
    }

    private func unpacked(_ order: Order) async throws(ImageFailure) -> LayerNote {
        if let note = note(order.chain) { return note }
        let task = state.withLock { state in
            if let note = state.notes[order.chain] { return Task { Result<LayerNote, ImageFailure>.success(note) } }
            if let task = state.underWay[order.chain] { return task }
            state.lastNumber += 1
            let number = state.lastNumber
            // Made under the lock: at its end it takes itself out of the table, which must not come before.
            let task = Task { await self.carryOut(order, number) }
            state.underWay[order.chain] = task
            return task
        }
        return try await task.value.get()
    }

    private func carryOut(_ order: Order, _ number: Int) async -> Result<LayerNote, ImageFailure> {
        let new = "\(incomingPath)/\(number)"
        let result: Result<LayerNote, ImageFailure>
        do throws(ImageFailure) {
            let (blob, tree) = try await Blocking.run { () throws(ImageFailure) in try self.begin(order, new) }
            let layer = try await unpacking.unpack(blob, into: tree)
            let note = try Self.checked(layer, order)
            try await Blocking.run { () throws(ImageFailure) in try self.finish(order.chain, note, tree, new) }
            result = .success(note)
        } catch {
            // On a thread of its own: half a layer may have a hundred thousand files.
            await Blocking.runToItsEnd { try? Files.removeTree(new) }
            result = .failure(error)
        }
        state.withLock { state in
            state.underWay[order.chain] = nil
            if case .success(let note) = result { state.notes[order.chain] = note }
        }
        return result
    }

    private func begin(_ order: Order, _ new: String) throws(ImageFailure) -> (blob: SharedFD, tree: SharedFD) {
        let blob = SharedFD(try order.open())
        do throws(SystemError) {
            try Files.makeDirectory(new, mode: 0o700)
            // The root of a container, if no layer describes it; whatever the umask.
            try Files.makeDirectory(new + "/tree", mode: 0o755)
            try Files.setPermissions(new + "/tree", 0o755)
            return (blob, SharedFD(try Files.open(new + "/tree", O_RDONLY | O_DIRECTORY)))
        } catch { throw .system(error) }
    }

    private static func check(_ totals: ArchiveTotals, _ order: Order) throws(ImageFailure) {
        if order.blob.algorithm == .sha256 {
            // It had its digest when it came: what is on the disk has changed since.
            let found = Digest(.sha256, hash: totals.blob)
            guard found == order.blob else { throw .wrongDigest(expected: order.blob, found: found) }
        }
        let diff = Digest(.sha256, hash: totals.diff)
        guard diff == order.diff else { throw .wrongLayer(layer: order.blob, expected: order.diff, found: diff) }
    }

    private static func checked(_ layer: UnpackedLayer, _ order: Order) throws(ImageFailure) -> LayerNote {
        try check(layer.totals, order)
        return LayerNote(
            blob: order.blob, diff: order.diff, fileBytes: layer.fileBytes, entries: layer.entries,
            devicesLeftOut: layer.devicesLeftOut, hidesLayersBelow: layer.hidesLayersBelow)
    }

    /// Its name is the last thing that a layer gets, when everything in it is on the disk.
    private func finish(_ chain: Digest, _ note: LayerNote, _ tree: SharedFD, _ new: String) throws(ImageFailure) {
        do throws(SystemError) {
            try Files.replace("\(new)/\(Self.done)", with: note.bytes)
            try Files.synchronizeFileSystem(of: tree.raw, name: new)
            withExtendedLifetime(tree) {}
            try Files.rename(new, to: place(chain))
            try Files.synchronize(directory: directory)
        } catch { throw .system(error) }
    }

    /// Takes away the layers that nobody keeps: they are out of use at once, and on the disk under the names that
    /// are returned, for `Files.removeTree`. Blocks, shortly.
    func takeOut(except kept: Set<Digest>) throws(SystemError) -> [String] {
        try state.withLock { state throws(SystemError) in
            var taken: [String] = []
            for chain in state.notes.keys where !kept.contains(chain) {
                state.lastNumber += 1
                let path = "\(incomingPath)/\(state.lastNumber)"
                try Files.rename(place(chain), to: path)
                state.notes[chain] = nil
                taken.append(path)
            }
            return taken
        }
    }

    private var incomingPath: String { directory + "/" + Self.incoming }
    /// The directory of a layer, with what is known of it.
    func place(_ chain: Digest) -> String { directory + "/" + chain.hex }
}
