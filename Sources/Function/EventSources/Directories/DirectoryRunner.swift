internal import Lambda
internal import Linux
internal import Store
internal import Synchronization

/// Takes the files of one mapping's directory: each version of a file that is complete becomes one asynchronous event.
///
/// A file is complete when nobody has it open for writing. Names that begin with a dot or end with .tmp or .part are left
/// alone, and so are subdirectories and symbolic links.
///
/// Invariants
/// 1. The event and the note of the file's version are written in one transaction: a version is one event, whenever the node
///    dies. (test: `each version of a file is one event, also after a restart`)
/// 2. Files that were there before, and those whose news the kernel dropped, are found by looking at the whole directory.
///    (test: `files that came while nobody watched are found`)
/// 3. A file that is being written is taken when it is closed. (test: `a file that is still being written is taken at its close`)
final class DirectoryRunner: MappingRunner, Sendable {
    /// Before trying again with a directory that is not there, or a disk that is full.
    static let problemPause = Duration.seconds(2)
    /// Files read side by side would only compete for the disk; their events are written in groups.
    private let mapping: EventSourceMapping
    private let directory: String
    private let pattern: NamePattern?
    private let after: EventSource.Afterwards
    private let ground: MappingGround
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Throws: when the pattern is none.
    init(_ mapping: EventSourceMapping, _ ground: MappingGround) throws(FilterError) {
        guard case .directory(let directory, let pattern, let after) = mapping.source else {
            preconditionFailure("the mapping \(mapping.id) is no directory")
        }
        if let pattern {
            guard let read = NamePattern(pattern) else {
                throw FilterError("the pattern \(pattern): a bracket is not closed")
            }
            self.pattern = read
        } else {
            self.pattern = nil
        }
        self.mapping = mapping
        self.directory = directory
        self.after = after
        self.ground = ground
    }

    func start() { task.withLock { $0 = Task { await run() } } }

    func stop() { task.withLock { $0?.cancel() } }

    /// Whether a name is taken at all.
    func takes(_ name: String) -> Bool {
        !name.hasPrefix(".") && !name.hasSuffix(".tmp") && !name.hasSuffix(".part") && pattern?.matches(name) ?? true
    }

    private func run() async {
        var lastProblem = ""
        while !Task.isCancelled {
            do {
                try await watch()
            } catch {
                if Task.isCancelled { return }
                let problem = "\(error)"
                if problem != lastProblem { ground.report(mapping, "PROBLEM: \(problem)") }
                lastProblem = problem
                try? await Task.sleep(for: Self.problemPause)
            }
        }
    }

    /// Watches until the directory is gone or something fails.
    private func watch() async throws {
        let watch = try DirectoryWatch(directory)
        // From here on nothing is missed: what comes during the look is told afterwards.
        try await look()
        ground.report(mapping, "OK")
        while true {
            try await Readiness.shared.readable(watch.fd.raw)
            var names: [String] = []
            var left: [String] = []
            for news in try watch.drain() {
                switch news {
                case .arrived(let name):
                    if takes(name), !names.contains(name) { names.append(name) }
                case .left(let name): left.append(directory + "/" + name)
                case .overflow: try await look()
                case .gone:
                    throw SystemError("watch", directory, code: .noEntry, advice: "The directory was removed or moved.")
                }
            }
            if !left.isEmpty { try await forget(left) }
            for name in names { try await take(name) }
        }
    }

    /// Looks at the whole directory.
    private func look() async throws {
        let directory = directory
        let names = try await BlockingPool.shared.run { () throws(SystemError) in try Files.list(directory) }
        let present = Set(names.map { directory + "/" + $0 })
        let id = mapping.id
        let known = try await ground.store.read { transaction throws(StoreFailure) in
            try DirectoryTable.paths(id, transaction)
        }
        try await forget(known.filter { !present.contains($0) })
        for name in names.sorted() where takes(name) { try await take(name) }
    }

    /// A file of that name that comes again is another one, though it may look the same.
    private func forget(_ paths: [String]) async throws {
        guard !paths.isEmpty else { return }
        let id = mapping.id
        try await ground.store.write { transaction throws(StoreFailure) in
            try DirectoryTable.remove(paths.filter { !Files.exists($0) }, id, transaction)
        }
    }

    private func take(_ name: String) async throws {
        let path = directory == "/" ? "/" + name : directory + "/" + name
        let outcome = try await BlockingPool.shared.run { () throws(SystemError) in try FileReading.read(path) }
        guard case .complete(let file, let md5) = outcome else { return }
        let event = event(file, md5)
        let id = mapping.id
        let ground = ground
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, StoreFailure>, Never>) in
            ground.store.enqueue { transaction throws(StoreFailure) -> [AsyncEvent] in
                if try DirectoryTable.contains(file, id, transaction) { return [] }
                try DirectoryTable.insert(file, id, transaction)
                return [try ground.events.insert(event, transaction)]
            } then: { result in
                if case .success(let accepted) = result { ground.events.took(accepted) }
                continuation.resume(returning: result.map { _ in () })
            }
        }
        try result.get()
    }

    private func event(_ file: FileVersion, _ md5: String) -> AsyncEvent {
        let now = ground.clock.now
        let id = FileEvent.id(mapping, file)
        var event = AsyncEvent(
            requestID: Identifiers.random(), target: mapping.functionARN,
            payload: FileEvent.bytes(mapping, file, directory: directory, md5: md5, at: now, account: ground.account),
            source: "directory", trace: EventTrace.hop(after: nil, at: now), acceptedAt: now)
        event.messageID = id
        event.overrides = InvokeOverrides(mapping)
        switch after {
        case .keep: break
        case .delete: event.afterwards = .remove(file)
        case .move(let target): event.afterwards = .move(file, directory: target)
        }
        return event
    }
}
