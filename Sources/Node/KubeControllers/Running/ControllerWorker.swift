package import KubeObjects
internal import KubeStore
internal import Linux

/// Runs one controller: takes the changes that concern it, has it decide about one object after the other, does what was
/// decided, and looks again when that failed or time has come. Nothing happens while nothing changes.
///
/// Invariants
/// 1. Nothing is decided before the cache has everything.
///    (test: `what was there before is decided about, and nothing before the cache is complete`)
/// 2. An object is decided about again only when the cache shows what was done about it before.
///    (test: `a worker waits for what it has written`)
/// 3. Every change that concerns an object is followed by a decision about it.
///    (test: `a key that changes while it is at work is looked at again afterwards`)
/// 4. A clock that is set back holds nothing up. (test: `a worker looks again when the clock is set back`)
package final class ControllerWorker: Sendable {
    private enum Input: Sendable {
        case changed(ObjectCache.Change)
        case newcomer(Resource)
        case finished(ObjectKey, WorkQueue.Outcome)
        /// What was waited for; nil: nothing.
        case due
        /// The cache has ended.
        case over

        var isTimer: Bool { if case .due = self { true } else { false } }
    }

    private let controller: any Controller
    private let cache: ObjectCache
    private let performer: ActionPerformer
    private let clock: any WallClock
    private let limit: Int

    /// - Parameters:
    ///   - limit: How many objects may be at work at once.
    ///   - report: Is told in a sentence what could not be done, and is tried again.
    package init(
        _ controller: any Controller, cache: ObjectCache, client: any ObjectClient, recorder: EventRecorder,
        clock: any WallClock = SystemWallClock(), limit: Int = 4,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.controller = controller
        self.cache = cache
        self.clock = clock
        self.limit = limit
        performer = ActionPerformer(
            controller: controller, view: cache, client: client, recorder: recorder, clock: clock, report: report)
    }

    /// Works until the task is cancelled or the cache ends.
    package func run() async {
        let changes = cache.changes()
        let newcomers = cache.newcomers()
        await cache.synced()
        guard !Task.isCancelled else { return }
        let (inputs, input) = AsyncStream<Input>.makeStream()
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await change in changes { input.yield(.changed(change)) }
                input.yield(.over)
            }
            group.addTask { for await resource in newcomers { input.yield(.newcomer(resource)) } }
            await work(inputs, input) { key in
                group.addTask { input.yield(.finished(key, await self.performer.work(key))) }
            }
            group.cancelAll()
        }
    }

    private func work(
        _ inputs: AsyncStream<Input>, _ input: AsyncStream<Input>.Continuation, _ start: (ObjectKey) -> Void
    ) async {
        var queue = WorkQueue(limit: limit)
        var latest = clock.now
        var sleeper: (until: Timestamp, task: Task<Void, Never>)?
        defer { sleeper?.task.cancel() }
        for key in everything() { queue.add(key) }
        // The first look needs no input.
        input.yield(.due)
        for await event in inputs {
            switch event {
            case .changed(let change): for key in concerned(by: change) { queue.add(key) }
            case .newcomer(let resource):
                for key in controller.concerned(byNewcomer: resource, in: cache) { queue.add(key) }
            case .finished(let key, let outcome): queue.finish(key, outcome, clock.now)
            case .due: break
            case .over: return
            }
            let now = clock.now
            // Also when nobody slept who could have been woken by it.
            if now < latest { queue.clockWasSet() }
            latest = now
            for key in queue.start(now, isMet: { $0.isMet(in: cache) }) { start(key) }
            let wake = queue.wake(now)
            if let sleeper, sleeper.until == wake, !event.isTimer { continue }
            sleeper?.task.cancel()
            sleeper = wake.map { moment in
                let clock = clock
                let task = Task {
                    // Set back since it was read: the moment may be far away now, and no timer tells of it.
                    if clock.now >= now { await clock.sleep(until: moment) }
                    if !Task.isCancelled { input.yield(.due) }
                }
                return (moment, task)
            }
        }
    }

    private func concerned(by change: ObjectCache.Change) -> [ObjectKey] {
        guard controller.watches(change.resource) else { return [] }
        return controller.concerned(by: change, in: cache)
    }

    private func everything() -> [ObjectKey] {
        controller.resources.flatMap { resource in
            cache.objects(resource).flatMap { object in
                concerned(by: ObjectCache.Change(resource: resource, key: object.key, old: nil, new: object))
            }
        }
    }
}
