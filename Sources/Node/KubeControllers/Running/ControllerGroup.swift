package import KubeObjects
package import KubeStore

/// All controllers of a node on one cache: starts them together and ends them together.
package final class ControllerGroup: Sendable {
    /// What the controllers see; others may read it, too.
    package let cache: ObjectCache
    package let recorder: EventRecorder
    private let kinds: StoredKinds?
    private let workers: [ControllerWorker]

    /// - Parameters:
    ///   - kinds: Of these the cache follows those that come and go; nil for none.
    ///   - others: Resources that the cache keeps for others than the controllers.
    package init(
        _ controllers: [any Controller], kinds: StoredKinds? = nil, store: any ObjectStoring, client: any ObjectClient,
        others: [Resource] = [], clock: any WallClock = SystemWallClock(),
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let passing = kinds?.now.passing ?? []
        let names = Set(passing.map(\.storeName))
        var resources: [Resource] = []
        for resource in controllers.flatMap(\.resources) + others
        where !names.contains(resource.storeName) && !resources.contains(where: { $0.storeName == resource.storeName })
        {
            resources.append(resource)
        }
        let cache = ObjectCache(store, resources, passing: passing)
        let recorder = EventRecorder(client, now: { clock.now })
        self.cache = cache
        self.recorder = recorder
        self.kinds = kinds
        workers = controllers.map {
            ControllerWorker($0, cache: cache, client: client, recorder: recorder, clock: clock, report: report)
        }
    }

    /// Runs until the task is cancelled or the store ends its watches.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.recorder.run() }
            if let kinds {
                group.addTask { for await _ in kinds.changes() { self.cache.follow(kinds.now.passing) } }
            }
            await withTaskGroup { group in
                for worker in workers { group.addTask { await worker.run() } }
                group.addTask { await self.cache.run() }
            }
            group.cancelAll()
        }
    }
}
