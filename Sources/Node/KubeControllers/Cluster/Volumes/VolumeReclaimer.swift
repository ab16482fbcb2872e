internal import JSON
package import KubeObjects
internal import KubeStore

/// Removes the directories of volumes that are being deleted, and lets the volumes go then.
///
/// The volume's finalizer is the note of what is to be done: after a crash it is done again, and removing a directory that is
/// not there does nothing.
package final class VolumeReclaimer: Sendable {
    private let cache: ObjectCache
    private let client: any ObjectClient
    private let directory: String
    private let remove: @Sendable (String) async throws -> Void
    private let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - cache: keeps persistent volumes.
    ///   - directory: the provisioner's; nothing outside is ever removed.
    ///   - remove: removes a directory and all in it; one that is not there is fine.
    ///   - report: is told in a sentence what could not be done, and is tried again.
    package init(
        cache: ObjectCache, client: any ObjectClient, directory: String,
        remove: @escaping @Sendable (String) async throws -> Void,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.cache = cache
        self.client = client
        self.directory = directory
        self.remove = remove
        self.report = report
    }

    /// Works until the task is cancelled or the cache ends.
    package func run() async {
        let changes = cache.changes()
        await cache.synced()
        for volume in cache.objects(.persistentVolumes) { await reclaim(KubeObject(volume)) }
        for await change in changes where change.resource == .persistentVolumes {
            if let volume = change.new { await reclaim(KubeObject(volume)) }
        }
    }

    /// The directory to remove for a volume now; nil for none, or for one that is not ours.
    static func directory(of volume: KubeObject, below directory: String) -> String? {
        // The protection goes first: until then a claim has the volume.
        guard volume.isBeingDeleted, volume.metadata.finalizers == [VolumeNames.directoryFinalizer],
            let path = volume.spec["hostPath"]?["path"]?.string, path.hasPrefix(directory + "/")
        else { return nil }
        let name = path.dropFirst(directory.count + 1)
        return name.isEmpty || name.contains("/") || name == "." || name == ".." ? nil : path
    }

    private func reclaim(_ volume: KubeObject) async {
        guard let path = Self.directory(of: volume, below: directory) else { return }
        var failures = 0
        while !Task.isCancelled {
            do {
                try await remove(path)
                try await client.modify(.persistentVolumes, namespace: nil, volume.name) { current throws(APIFailure) in
                    guard current.uid == volume.uid else { return false }
                    current.metadata.finalizers.removeAll { $0 == VolumeNames.directoryFinalizer }
                    return true
                }
                return
            } catch let failure as APIFailure where failure.code == 404 {
                return
            } catch {
                failures += 1
                report("removing \(path) of the persistent volume \(volume.name): \(error); it is tried again")
                try? await Task.sleep(for: .milliseconds(min(60_000, 100 << min(failures, 10))))
            }
        }
    }
}
