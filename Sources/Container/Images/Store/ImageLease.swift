package import OCI
internal import Synchronization

/// What somebody is working with and must not be collected: the blobs of an unfinished pull, load or build, the image
/// of a container. Ends with its last reference, or by `end`.
///
/// A lease lives in memory: after a node's death the unfinished is rubbish, and who holds an image for a container
/// takes a new one when the container is adopted.
package final class ImageLease: Sendable {
    /// What it is for, as in "container web".
    package let purpose: String

    private struct State {
        var held: Set<Digest> = []
        var isOver = false
    }

    private let state = Mutex(State())
    let books: LeaseBooks

    init(purpose: String, books: LeaseBooks) {
        self.purpose = purpose
        self.books = books
    }

    deinit { end() }

    /// Keeps a blob, or an image (by its manifest's digest) with all its blobs and unpacked layers.
    package func hold(_ digest: Digest) {
        let isNew = state.withLock { $0.isOver ? false : $0.held.insert(digest).inserted }
        if isNew { books.add(digest, purpose) }
    }

    /// Lets go of everything; after that it holds nothing any more.
    package func end() {
        let held = state.withLock { state in
            defer { state = State(held: [], isOver: true) }
            return state.held
        }
        for digest in held { books.remove(digest, purpose) }
    }
}

/// How often each digest is held, and what for.
final class LeaseBooks: Sendable {
    /// Taken by everything that changes names and blobs, so that a collection sees none of it half done. Waiting for
    /// it may take as long as an fsync: never on the cooperative pool.
    let gate = Mutex<Void>(())

    private let held = Mutex<[Digest: [String: Int]]>([:])

    func add(_ digest: Digest, _ purpose: String) { held.withLock { $0[digest, default: [:]][purpose, default: 0] += 1 } }

    func remove(_ digest: Digest, _ purpose: String) {
        held.withLock { held in
            guard let count = held[digest]?[purpose] else { return }
            held[digest]?[purpose] = count > 1 ? count - 1 : nil
            if held[digest]?.isEmpty == true { held[digest] = nil }
        }
    }

    var digests: Set<Digest> { held.withLock { Set($0.keys) } }

    /// What holds a digest, sorted.
    func purposes(of digest: Digest) -> [String] { held.withLock { ($0[digest] ?? [:]).keys.sorted() } }
}
