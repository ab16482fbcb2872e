internal import Engine
internal import Glibc
internal import Images
internal import Linux
internal import OCI

/// The files of a stage as it stands: directories of its layers, and trees of them to look at and to write to.
struct StageRoot: Sendable {
    /// The topmost first.
    let layers: [String]
    private let empty: String

    /// Unpacks what is not unpacked yet; `lease` holds it all.
    init(_ stack: StageStack, in store: ImageStore, lease: ImageLease) async throws(BuildFailure) {
        empty = store.emptyDirectory
        do throws(ImageFailure) {
            layers = try await store.unpacked(stack.layers.map { ($0.digest, $0.diff) }, lease: lease)
        } catch { throw BuildFailure(error) }
        // One is the base layer's.
        guard layers.count < LayerStack.limit else {
            throw BuildFailure(
                .badRequest, "the stage has \(layers.count) layers, and the kernel stacks at most \(LayerStack.limit - 1): "
                    + "join instructions")
        }
    }

    /// For looking and copying from it.
    func readOnly(below base: [String] = []) throws(BuildFailure) -> SharedFD {
        try building { () throws(SystemError) in SharedFD(try LayerStack.readOnly(layers + base, empty: empty)) }
    }

    /// For copying into it: what is written goes to the work directory. Only one at a time may have it.
    func writable(_ work: WorkDirectory) throws(BuildFailure) -> SharedFD {
        try building { () throws(SystemError) in
            SharedFD(try LayerStack.writable(layers, upper: work.upperPath, work: work.workPath, empty: empty))
        }
    }
}
