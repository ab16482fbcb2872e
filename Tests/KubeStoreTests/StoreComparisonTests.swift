import JSON
import TestKit
import Testing

@testable import KubeStore

/// The same operations, drawn at random, on the database and on the model: every answer and every watch is the same.
@Suite(.timeLimit(.minutes(5))) struct StoreComparisonTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `the database answers as the model does`(_ seed: UInt64) async throws {
        let directory = try TemporaryDirectory("kube")
        var limits = WatchLimits()
        // Small, so that watchers begin in the window, before it, and leave it.
        limits.windowEvents = Int(seed % 4) * 8 + 1
        limits.batch = Int(seed % 3) + 1
        var comparison = Comparison(
            database: try await openStore(directory, limits), model: MemoryObjectStore(),
            chance: SeededChance(seed: seed))
        for _ in 0..<250 { try await comparison.step() }
        try await comparison.finish()
    }
}

/// Two stores, and the watches that were begun on both.
private struct Comparison {
    let database: ObjectStore
    let model: MemoryObjectStore
    var chance: SeededChance
    private var watches: [(request: WatchRequest, database: WatchLog, model: WatchLog)] = []
    private var tokens: [ContinueToken] = []
    private var marks: Int64 = 0

    private static let resources = ["pods", "apps/deployments"]
    private static let namespaces = ["a", "b"]

    init(database: ObjectStore, model: MemoryObjectStore, chance: SeededChance) {
        self.database = database
        self.model = model
        self.chance = chance
    }

    mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &chance) {
        case ..<60: try await write()
        case ..<70: await compareGet()
        case ..<85: try await list()
        case ..<93: try await watch()
        case ..<97: try await endWatch()
        default: try await compact()
        }
    }

    // MARK: - Drawing

    private mutating func key() -> ObjectKey {
        ObjectKey(
            Self.resources.randomElement(using: &chance)!, namespace: Self.namespaces.randomElement(using: &chance)!,
            "o\(Int.random(in: 0..<5, using: &chance))")
    }

    private mutating func value() -> JSONValue {
        object(
            Int.random(in: 0..<3, using: &chance), app: Bool.random(using: &chance) ? "web" : "other",
            uid: Bool.random(using: &chance) ? "1" : "2")
    }

    /// A revision around what there is, some too old and some too new.
    private mutating func revision() async throws -> Int64 {
        let history = try await model.history()
        return Int64.random(in: max(0, history.compacted - 3)...history.newest + 1, using: &chance)
    }

    private mutating func scope() -> ResourceScope {
        ResourceScope(
            Self.resources.randomElement(using: &chance)!,
            namespace: Bool.random(using: &chance) ? Self.namespaces.randomElement(using: &chance)! : nil)
    }

    private mutating func change() async -> ObjectWrite {
        let key = key()
        var precondition = Precondition.none
        if Int.random(in: 0..<4, using: &chance) == 0 {
            precondition.revision = (try? await model.get(key))?.revision ?? 1
            if Bool.random(using: &chance) { precondition.revision! += 1 }
        }
        if Int.random(in: 0..<4, using: &chance) == 0 { precondition.uid = "1" }
        switch Int.random(in: 0..<10, using: &chance) {
        case ..<4: return .create(key, value())
        case ..<8: return .update(key, value(), if: precondition)
        default: return .delete(key, if: precondition)
        }
    }

    // MARK: - Comparing

    private func compare<Answer: Equatable>(
        _ what: String, _ ask: (any ObjectStoring) async throws(ObjectStoreFailure) -> Answer
    ) async -> Answer? {
        var answers: [Result<Answer, ObjectStoreFailure>] = []
        for store in [database, model] as [any ObjectStoring] {
            do throws(ObjectStoreFailure) { answers.append(.success(try await ask(store))) } catch {
                answers.append(.failure(error))
            }
        }
        #expect(answers[0] == answers[1], "\(what), \(chance)")
        return try? answers[1].get()
    }

    private mutating func write() async throws {
        var writes: [ObjectWrite] = []
        let count = Bool.random(using: &chance) ? 1 : Int.random(in: 1...4, using: &chance)
        for _ in 0..<count { writes.append(await change()) }
        _ = await compare("\(writes)") { [writes] store throws(ObjectStoreFailure) in try await store.commit(writes) }
    }

    private mutating func compareGet() async {
        let key = key()
        _ = await compare("get \(key)") { store throws(ObjectStoreFailure) in try await store.get(key) }
        _ = await compare("history") { store throws(ObjectStoreFailure) in try await store.history() }
    }

    private mutating func list() async throws {
        let scope = scope()
        var moment = ListRequest.Moment.newest
        let revision = try await revision()
        switch Int.random(in: 0..<4, using: &chance) {
        case 0: moment = .exact(revision)
        case 1: moment = .notOlder(than: revision)
        case 2:
            guard let token = tokens.randomElement(using: &chance) else { break }
            moment = .continuing(Bool.random(using: &chance) ? token : token.inconsistent)
        default: break
        }
        var request = ListRequest(scope, moment, limit: Bool.random(using: &chance) ? 3 : nil)
        if case .continuing(let token) = moment, Int.random(in: 0..<8, using: &chance) > 0 {
            request.scope = token.scope
        }
        let page = await compare("\(request)") { [request] store throws(ObjectStoreFailure) in
            try await store.list(request)
        }
        if let token = page?.next { tokens.append(token) }
    }

    // MARK: - Watching

    private mutating func watch() async throws {
        let revision = try await revision()
        let start: [WatchRequest.Start] = [.now, .initialEvents, .after(revision), .after(revision)]
        let isSelective = Bool.random(using: &chance)
        let request = WatchRequest(scope(), start.randomElement(using: &chance)!) { object in
            // Everybody sees the marks.
            !isSelective || object.key.name == "mark" || app("web")(object)
        }
        var begun: [Result<any ObjectWatching, ObjectStoreFailure>] = []
        for store in [database, model] as [any ObjectStoring] {
            do throws(ObjectStoreFailure) { begun.append(.success(try await store.watch(request))) } catch {
                begun.append(.failure(error))
            }
        }
        switch (begun[0], begun[1]) {
        case (.success(let one), .success(let two)): watches.append((request, WatchLog(one), WatchLog(two)))
        case (.failure(let one), .failure(let two)): #expect(one == two, "\(chance)")
        default: Issue.record("\(begun), \(chance)")
        }
    }

    /// Waits until every watcher has read everything: each is shown a last object and found to have seen it.
    private mutating func catchUp() async throws {
        marks += 1
        var writes: [ObjectWrite] = []
        for resource in Self.resources {
            for namespace in Self.namespaces {
                let key = ObjectKey(resource, namespace: namespace, "mark")
                writes.append(marks == 1 ? .create(key, object(1)) : .update(key, object(Int(marks))))
            }
        }
        let written = await compare("marks") { [writes] store throws(ObjectStoreFailure) in
            try await store.commit(writes)
        }
        guard let written else { return }
        for watch in watches {
            let last = written.last { watch.request.scope.contains($0.object.key) }!.object.revision
            for log in [watch.database, watch.model] {
                try await eventually("revision \(last) of \(watch.request.scope), \(chance)") {
                    log.events.last?.object?.revision == last || log.failure != nil
                }
            }
        }
    }

    private mutating func endWatch() async throws {
        guard let index = watches.indices.randomElement(using: &chance) else { return }
        try await catchUp()
        try await end(watches.remove(at: index))
    }

    private func end(_ watch: (request: WatchRequest, database: WatchLog, model: WatchLog)) async throws {
        let one = await watch.database.end()
        let two = await watch.model.end()
        #expect(one == two, "\(watch.request.scope) \(watch.request.start), \(chance)")
        #expect(watch.database.failure == watch.model.failure, "\(chance)")
    }

    private mutating func compact() async throws {
        // Who is still reading history would end as too old here, and not in the model, which forgets nothing.
        try await catchUp()
        var revision = try await revision()
        let newest = try await model.history().newest
        // The marks come last, one for each scope, and who has seen the first of them must not be too old by the others.
        if revision <= newest { revision = min(revision, newest - 4) }
        _ = await compare("compact") { [revision] store throws(ObjectStoreFailure) in
            try await store.compact(to: revision)
            return revision
        }
    }

    mutating func finish() async throws {
        try await catchUp()
        for watch in watches { try await end(watch) }
        for resource in Self.resources {
            _ = await compare("the end") { store throws(ObjectStoreFailure) in
                try await store.list(ListRequest(ResourceScope(resource)))
            }
        }
    }
}
