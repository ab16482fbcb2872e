import Engine
import Images
import Linux
import Metrics

/// Images, and the disk that the node's state is on.
struct DiskMetrics: MetricSource {
    private let images: ImageStore
    private let state: String
    /// Counting looks at every file of every layer.
    private let use: Remembered<StoreUse?>
    private let space: Remembered<Space>

    private struct Space: Sendable {
        var total = 0
        var free = 0
    }

    init(_ images: ImageStore, state: String) {
        self.images = images
        self.state = state
        use = Remembered(for: .seconds(900), first: nil) {
            try? await Blocking.runLong { _ throws(ImageFailure) in try images.use() }
        }
        space = Remembered(for: .seconds(10), first: Space()) {
            guard let space = try? await BlockingPool.shared.run({ () throws(SystemError) in try Mounts.space(state) })
            else { return Space() }
            return Space(total: space.total, free: space.free)
        }
    }

    func metrics() async -> [MetricFamily] {
        var families: [MetricFamily] = [.gauge("forkless_images", "Images in the store.", images.images.count)]
        if let use = use.value {
            families += [
                .gauge("forkless_images_in_use", "Images that a container, a function or a build needs.", use.active),
                .gauge("forkless_images_size_bytes", "What images take on the disk; counted every 15 minutes.", use.bytes),
                .gauge(
                    "forkless_images_reclaimable_bytes", "What a prune of images would give back; counted every 15 minutes.",
                    use.reclaimableBytes),
            ]
        }
        let space = space.value
        if space.total > 0 {
            families += [
                .gauge("forkless_state_disk_size_bytes", "The file system of the node's state directory.", space.total),
                .gauge("forkless_state_disk_free_bytes", "What is free of it.", space.free),
            ]
        }
        return families
    }
}
