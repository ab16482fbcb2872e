package import KubeObjects
package import KubeStore

/// All controllers of a node on one cache: starts them together and ends them together.
package final class ControllerGroup: Sendable {
    /// What the controllers see; others may read it, too.
    package let cache: ObjectCache
    package let recorder: EventRecorder
    private let workers: [ControllerWorker]

    /// - Parameter others: Resources that the cache keeps for others than the controllers.
    package init(
        _ controllers: [any Controller], store: any ObjectStoring, client: any ObjectClient,
        others: [Resource] = [], clock: any WallClock = SystemWallClock(),
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        var resources: [Resource] = []
        for resource in controllers.flatMap(\.resources) + others
        where !resources.contains(where: { $0.storeName == resource.storeName }) { resources.append(resource) }
        let cache = ObjectCache(store, resources)
        let recorder = EventRecorder(client, clock: clock)
        self.cache = cache
        self.recorder = recorder
        workers = controllers.map {
            ControllerWorker($0, cache: cache, client: client, recorder: recorder, clock: clock, report: report)
        }
    }

    /// Runs until the task is cancelled or the store ends its watches.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.recorder.run() }
            await withTaskGroup { group in
                for worker in workers { group.addTask { await worker.run() } }
                group.addTask { await self.cache.run() }
            }
            group.cancelAll()
        }
    }
}
