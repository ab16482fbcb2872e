package import Engine
package import Images
import JSON
package import KubeObjects
import KubeStore
package import Linux
import Networking
import OCI
import Synchronization

/// Runs the pods that are bound to this node: a worker for each, over the container engine.
///
/// Invariants
/// 1. A pod has one worker as long as its object or a container of it is there.
///    (test: `no container runs twice, whatever happens`)
/// 2. What an earlier node has started is gone on with exactly: found by its name, never started again.
///    (test: `a node that comes back goes on with what runs`)
/// 3. Containers of pods that are gone end. (test: `containers of a pod that went while no node was there end`)
package final class PodAgent: Sendable {
    /// What the cache that it is given has to show.
    package static let resources: [Resource] = [
        .pods, .services, .configMaps, .secrets, .serviceAccounts, .persistentVolumeClaims, .persistentVolumes,
    ]

    let surroundings: PodSurroundings
    private let cache: ObjectCache
    let workers = Mutex<[String: PodWorker]>([:])

    /// - Parameters:
    ///   - cache: running, with `resources` at least.
    ///   - client: in whose name statuses and events are written.
    ///   - dataPath: the way of clients to pods; nil: nobody's.
    ///   - tokens: nil: pods that want a token of their service account do not start.
    ///   - now: the time of day.
    ///   - monotonic: nanoseconds of a clock that only ticks.
    ///   - note: takes a sentence for the node's log.
    package init(
        engine: ContainerEngine, networks: ContainerNetworks, images: ImageStore, cache: ObjectCache,
        client: any ObjectClient, dataPath: (any ServiceDataPath)?, tokens: (any ServiceAccountTokens)?,
        settings: PodSettings, now: @escaping @Sendable () -> Timestamp = { Clock.now() },
        monotonic: @escaping @Sendable () -> Int = { Clock.monotonicNanoseconds() },
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.cache = cache
        surroundings = PodSurroundings(
            engine: engine, networks: networks, images: images, references: References(cache: cache, client: client),
            client: client, dataPath: dataPath, tokens: tokens, settings: settings,
            recorder: EventRecorder(client, now: now), now: now, monotonic: monotonic, note: note)
    }

    /// Works until the task is cancelled. Containers run on then, for the next node.
    ///
    /// - Throws: `NodeFailure` when the pods' network or directory cannot be made.
    package func run() async throws(NodeFailure) {
        try await makeGround()
        await cache.synced()
        let changes = cache.changes()
        await withTaskGroup { group in
            let recorder = surroundings.recorder
            group.addTask { await recorder.run() }
            group.addTask { await self.watchClock() }
            if let seconds = surroundings.settings.evictionSeconds {
                group.addTask {
                    await self.watchMemory(every: seconds) {
                        (try? Files.readText("/proc/meminfo")).flatMap(Self.available)
                    }
                }
            }
            let found = await self.findContainers()
            let pods = cache.objects(.pods).map(KubeObject.init).filter(isOurs)
            for pod in pods { begin(pod, found[pod.uid] ?? [], &group) }
            let known = Set(pods.map(\.uid))
            await self.removeStrangers(Set(found.keys).subtracting(known))
            await withTaskCancellationHandler {
                for await change in changes {
                    if Task.isCancelled { break }
                    take(change, &group)
                }
            } onCancel: {
                self.endWorkers()
            }
            endWorkers()
            recorder.finish()
        }
    }

    /// Has every pod look again when somebody sets the clock: tokens may have run out that were to last for an hour.
    private func watchClock() async {
        while !Task.isCancelled {
            do throws(SystemError) { try await WallTimer.wait() } catch {
                guard !Task.isCancelled else { return }
                return surroundings.note("notice that the clock is set: \(error)")
            }
            for worker in workers.withLock({ Array($0.values) }) {
                worker.post(.tick)
                worker.post(.refreshVolumes)
            }
        }
    }

    private func endWorkers() {
        surroundings.recorder.finish()
        for worker in workers.withLock({ Array($0.values) }) { worker.post(.quit) }
    }

    private func isOurs(_ pod: KubeObject) -> Bool { pod.spec["nodeName"]?.string == surroundings.settings.nodeName }

    private func take(_ change: ObjectCache.Change, _ group: inout TaskGroup<Void>) {
        guard change.resource == .pods else {
            for worker in workers.withLock({ Array($0.values) }) { worker.post(.changed(change.resource, change.key)) }
            return
        }
        let old = change.old.map(KubeObject.init)
        guard let stored = change.new else {
            if let old { worker(old.uid)?.post(.objectGone) }
            return
        }
        let pod = KubeObject(stored)
        // Under the same name another pod may have come meanwhile.
        if let old, old.uid != pod.uid { worker(old.uid)?.post(.objectGone) }
        if let worker = worker(pod.uid) { return worker.post(.object(pod)) }
        guard isOurs(pod), !isPast(pod) else { return }
        begin(pod, [], &group)
    }

    /// A pod that has ended and whose worker is done with it: kept by somebody's finalizer.
    private func isPast(_ pod: KubeObject) -> Bool {
        pod.isBeingDeleted && ["Succeeded", "Failed"].contains(pod.status["phase"]?.string ?? "")
            && pod.metadata.deletionGracePeriodSeconds == 0
    }

    func worker(_ uid: String) -> PodWorker? { workers.withLock { $0[uid] } }

    private func begin(_ pod: KubeObject, _ found: [FoundContainer], _ group: inout TaskGroup<Void>) {
        let worker = PodWorker(pod, found: found, surroundings)
        workers.withLock { $0[pod.uid] = worker }
        group.addTask {
            await worker.run()
            self.workers.withLock { $0[worker.uid] = nil }
        }
    }

    // Ground.

    private func makeGround() async throws(NodeFailure) {
        let (settings, networks) = (surroundings.settings, surroundings.networks)
        do throws(SystemError) {
            try await BlockingPool.shared.run { () throws(SystemError) in
                // What is in volumes is not for everybody on the machine.
                try Files.makeDirectories(settings.directory, mode: 0o700)
            }
        } catch { throw NodeFailure(.system, "make the directory of pods: \(error)") }
        do throws(NetworkFailure) {
            if (try? await networks.service.find(settings.network)) == nil {
                var wish = NetworkService.Wish(name: settings.network)
                wish.subnets = [settings.subnet]
                try await networks.service.create(wish)
            }
        } catch { throw NodeFailure(error) }
    }

    /// What an earlier node has left, by pod; its networks are taken over.
    private func findContainers() async -> [String: [FoundContainer]] {
        var found: [String: [FoundContainer]] = [:]
        var pids: [String: [Int32]] = [:]
        let all = (try? await surroundings.engine.list(ListContainers(all: true)))?.containers ?? []
        for summary in all.reversed() {
            if let uid = PodNaming.parseFirst(summary) { found[uid] = found[uid] ?? [] }
            guard let (uid, container, attempt) = PodNaming.parse(summary) else { continue }
            let details = try? surroundings.engine.inspect(summary.id)
            let run = ContainerRun(
                attempt: attempt, startedAt: summary.startedAt ?? summary.createdAt, id: summary.id,
                image: summary.image,
                imageID: details?.spec.image?.id?.description ?? "")
            let end = summary.end.map { end in
                Termination(
                    exitCode: end.exitStatus ?? 137,
                    reason: end.keeperLost
                        ? "ContainerStatusUnknown"
                        : end.outOfMemory ? "OOMKilled" : end.exitStatus == 0 ? "Completed" : "Error",
                    startedAt: summary.startedAt, finishedAt: end.endedAt,
                    containerID: PodMachine.containerScheme + summary.id)
            }
            guard summary.phase.isActive || end != nil else {
                // Made and never started: nothing of it is worth keeping.
                try? await surroundings.engine.remove(
                    RemoveContainer(container: summary.id, force: true, volumes: true))
                continue
            }
            found[uid, default: []].append(
                FoundContainer(name: container, run: run, end: summary.phase.isActive ? nil : end))
            if let pid = summary.pid { pids[uid, default: []].append(pid) }
        }
        for uid in found.keys { found[uid]!.sort { $0.run.attempt < $1.run.attempt } }
        await adoptNetworks(found, pids)
        return found
    }

    private func adoptNetworks(_ found: [String: [FoundContainer]], _ pids: [String: [Int32]]) async {
        for pod in cache.objects(.pods).map(KubeObject.init) where found[pod.uid] != nil {
            let files = surroundings.files(pod)
            let hostname = (try? files.hostname()) ?? pod.name
            var isAdopted = false
            // Of several the first that still runs says where the pod is.
            for pid in pids[pod.uid] ?? [] where !isAdopted {
                isAdopted = await surroundings.networks.adopt(pod: pod.uid, pid: pid, hostname: hostname) != nil
            }
            if isAdopted { continue }
            // Nothing runs in it: it gets a new one when something is to.
            await surroundings.networks.release(pod: pod.uid)
        }
    }

    /// Ends what belongs to pods that are gone.
    private func removeStrangers(_ uids: Set<String>) async {
        for uid in uids {
            await Self.removeContainers(of: uid, surroundings)
            await surroundings.networks.release(pod: uid)
            do throws(ConfigProblem) {
                try await PodVolumes.remove(surroundings.settings, uid: uid, PodMounts(surroundings.engine))
            } catch {
                surroundings.note("remove the volumes of pod \(uid): \(error.message)")
            }
        }
    }

    static func removeContainers(of uid: String, _ surroundings: PodSurroundings) async {
        let wanted = ListContainers(all: true, labels: [PodNaming.uidLabel: uid])
        for summary in (try? await surroundings.engine.list(wanted))?.containers ?? []
        where PodNaming.parse(summary)?.uid == uid || PodNaming.parseFirst(summary) == uid {
            try? await surroundings.engine.remove(RemoveContainer(container: summary.id, force: true, volumes: true))
        }
    }
}
