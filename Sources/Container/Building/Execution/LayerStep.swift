internal import Engine
internal import Images
internal import Linux
internal import OCI

/// A step that may change files: found in the cache, or done in a work directory whose content becomes a layer.
///
/// Invariants
/// 1. What a step failed to do leaves nothing. (test: `a step that fails leaves no directory and no mount`)
/// 2. What was copied is what the key says, or the step fails. (test: `CVE-2018-15664: a context that changes while it is copied gives nothing from outside`)
struct LayerStep: Sendable {
    struct Outcome: Sendable {
        var record: CacheRecord
        var isCached: Bool
    }

    let session: BuildSession
    /// What lies below.
    let stack: StageStack
    let title: String
    /// For what its program writes.
    let number: Int

    func run(_ action: RunAction) async throws(BuildFailure) -> Outcome {
        let key = StepKey(
            run: action, chain: stack.chain, network: session.order.network.rawValue, session.circumstances)
        let (session, number) = (session, number)
        return try await outcome(key) { work, root async throws(BuildFailure) in
            let step = RunStep(action: action, network: session.order.network, kit: session.kit)
            let steps = session.order.graph.stepCount
            try await step.run(on: root, in: work) { line in
                await session.tell(BuildProgress(.output, step: number, steps: steps, text: line))
            }
        }
    }

    func copy(_ action: CopyAction, from tree: SourceTree) async throws(BuildFailure) -> Outcome {
        let time = session.latest ?? FileTime(seconds: session.now.nanoseconds / 1_000_000_000)
        let step = CopyStep(action: action, tree: tree, textTime: time)
        let contents = try await BuildThread.run { cancellation throws(BuildFailure) in try step.digest(cancellation) }
        let key = StepKey(copy: action, contents: contents, chain: stack.chain, session.circumstances)
        let latest = session.latest
        return try await outcome(key) { work, root async throws(BuildFailure) in
            try await BuildThread.run { cancellation throws(BuildFailure) in
                let target = CopyTarget(root: try root.writable(work), latest: latest)
                guard try step.copy(into: target, cancellation) == contents else {
                    throw BuildFailure(.conflict, "\(tree.title) changed while it was copied; try again")
                }
            }
        }
    }

    /// WORKDIR: nothing, when the directory is there.
    func makeDirectory(_ path: String, user: String) async throws(BuildFailure) -> Outcome {
        let key = StepKey(directory: path, user: user, chain: stack.chain, session.circumstances)
        return try await outcome(key) { work, root async throws(BuildFailure) in
            try await BuildThread.run { _ throws(BuildFailure) in
                let tree = try root.readOnly()
                let there = try building { () throws(SystemError) in try RootedPath(path, in: tree.raw) }
                if let status = there.status {
                    guard status.file.kind == .directory else {
                        throw BuildFailure(.badRequest, "\(path) is no directory in the image")
                    }
                    return
                }
                let owner = try Self.owner(user, tree)
                _ = try CopyTarget(root: try root.writable(work), latest: nil).directory(path, owner: owner)
            }
        }
    }

    private static func owner(_ user: String, _ tree: SharedFD) throws(BuildFailure) -> (user: UInt32, group: UInt32) {
        guard !user.isEmpty else { return (0, 0) }
        do throws(UserError) {
            let identity = try Users.inRoot(tree.raw).identity(of: user)
            return (identity.uid, identity.gid)
        } catch { throw BuildFailure(.badRequest, error.description) }
    }

    // What all have in common.

    private func outcome(
        _ key: StepKey, _ body: (WorkDirectory, StageRoot) async throws(BuildFailure) -> Void
    ) async throws(BuildFailure) -> Outcome {
        let (cache, now, lease) = (session.cache, session.now, session.lease)
        if session.order.usesCache {
            let found = try await BuildThread.run { _ throws(BuildFailure) in
                try cache.find(key, now: now, lease: lease)
            }
            if let found { return Outcome(record: found, isCached: true) }
        }
        let layer = try await layer(body)
        let record = CacheRecord(layer: layer, created: session.created, title: title, used: now)
        try await BuildThread.run { _ throws(BuildFailure) in try cache.add(record, for: key) }
        return Outcome(record: record, isCached: false)
    }

    private func layer(
        _ body: (WorkDirectory, StageRoot) async throws(BuildFailure) -> Void
    ) async throws(BuildFailure) -> StackLayer? {
        let root = try await StageRoot(stack, in: session.store, lease: session.lease)
        let path = session.kit.place.makePath()
        let result: Result<StackLayer?, BuildFailure>
        do throws(BuildFailure) {
            let work = try await BuildThread.run { _ throws(BuildFailure) in try WorkDirectory(path) }
            try await body(work, root)
            if Task.isCancelled { throw .cancelled }
            result = .success(
                try await LayerCommit.layer(
                    of: work.upper, in: session.store, latest: session.latest, lease: session.lease))
        } catch { result = .failure(error) }
        await WorkDirectory.remove(path)
        return try result.get()
    }
}
