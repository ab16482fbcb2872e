import JSON
import TestKit
import Testing

@testable import KubeStore

/// What every store forgets, and what not.
@Suite(.timeLimit(.minutes(2))) struct HistoryContractTests {
    private let pods = ResourceScope("pods")

    private func text(_ page: ObjectPage) -> String {
        page.objects.map { "\($0.key.name)=\($0.value["size"]!)" }.joined(separator: " ")
    }

    @Test(arguments: StoreKind.allCases)
    func `the borders of history are etcd's`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let store = open.store
        for number in 1...9 {
            _ =
                number == 1
                ? try await store.create(pod("a"), object(1))
                : try await store.update(pod("a"), object(number)).object
        }
        try await store.compact(to: 5)
        #expect(try await store.history() == HistoryBounds(compacted: 5, newest: 10))
        #expect(text(try await store.list(ListRequest(pods, .exact(5)))) == "a=4")
        await #expect(throws: ObjectStoreFailure.tooOld(oldest: 5, asked: 4)) {
            try await store.list(ListRequest(pods, .exact(4)))
        }
        // Behind revision 4 comes the event of revision 5, which is there.
        let watch = try await store.watch(WatchRequest(pods, .after(4)))
        #expect(try await take(6, watch).map(\.text) == (4...9).map { "~a=\($0)" })
        await #expect(throws: ObjectStoreFailure.tooOld(oldest: 4, asked: 3)) {
            try await store.watch(WatchRequest(pods, .after(3)))
        }
        await #expect(throws: ObjectStoreFailure.tooOld(oldest: 6, asked: 5)) { try await store.compact(to: 5) }
        await #expect(throws: ObjectStoreFailure.futureRevision(newest: 10, asked: 11)) {
            try await store.compact(to: 11)
        }
        try await store.compact(to: 10)
        #expect(text(try await store.list(ListRequest(pods))) == "a=9")
        #expect(try await store.get(pod("a")).createRevision == 2)
    }

    @Test(arguments: StoreKind.allCases, [1, 2048])
    func `compaction leaves every state and event from its revision on`(_ kind: StoreKind, window: Int) async throws {
        let names = ["a", "b", "c"]
        // Every revision as the border: creations, changes, deletions and what comes again.
        for border in Int64(2)...13 {
            let open = try await kind.open(window: window)
            let store = open.store
            for (number, write) in zip(0..., "+a +b ~a -b +c ~c -a +b ~b +a -c ~a".split(separator: " ")) {
                let key = pod(String(write.last!))
                switch write.first! {
                case "+": try await store.create(key, object(number))
                case "~": try await store.update(key, object(number))
                default: try await store.delete(key)
                }
            }
            var states: [String] = []
            for revision in border...13 {
                states.append(text(try await store.list(ListRequest(pods, .exact(revision)))))
            }
            let events = try await take(
                Int(14 - border), try await store.watch(WatchRequest(pods, .after(border - 1), where: app("web"))))
            try await store.compact(to: border)
            for (revision, state) in zip(border..., states) {
                #expect(
                    text(try await store.list(ListRequest(pods, .exact(revision)))) == state, "\(border) \(revision)")
            }
            let watch = try await store.watch(WatchRequest(pods, .after(border - 1), where: app("web")))
            #expect(try await take(Int(14 - border), watch) == events, "\(border)")
            for name in names where states.last!.contains(name) { _ = try await store.get(pod(name)) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `history is given up by maintenance when its time has come`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let store = open.store
        let clock = ManualClock()
        let watch = try await store.watch(WatchRequest(pods, .now, bookmarks: true))
        let work = Task {
            await store.maintain(HistoryPlan.Limits(events: 100, age: .seconds(90)), every: .seconds(60), on: clock) {
                Issue.record("\($0)")
            }
        }
        func round() async throws {
            try await clock.untilSleeping()
            clock.advance(by: .seconds(60))
            try await clock.untilSleeping()
        }
        try await store.create(pod("a"), object(1))
        try await round()
        try await store.update(pod("a"), object(2))
        try await round()
        #expect(try await store.history().compacted == 0)
        try await round()
        #expect(try await store.history() == HistoryBounds(compacted: 2, newest: 3))
        try await round()
        #expect(try await store.history().compacted == 3)
        let expected = ["+a=1", "bookmark 2", "~a=2", "bookmark 3", "bookmark 3", "bookmark 3"]
        #expect(try await take(6, watch).map(\.text) == expected)
        work.cancel()
        await work.value
    }
}

/// How much history is kept.
struct HistoryPlanTests {
    @Test func `young history stays`() {
        var plan = HistoryPlan(HistoryPlan.Limits(events: 1000, age: .seconds(300)))
        var compacted: [Int64?] = []
        for minute in 0...7 {
            let history = HistoryBounds(compacted: 0, newest: Int64(10 + minute))
            compacted.append(plan.decide(history, at: .seconds(60 * minute)))
        }
        #expect(compacted == [nil, nil, nil, nil, nil, 10, 11, 12])
    }

    @Test func `too much history goes however young it is`() {
        var plan = HistoryPlan(HistoryPlan.Limits(events: 1000, age: .seconds(300)))
        #expect(plan.decide(HistoryBounds(compacted: 0, newest: 1000), at: .zero) == nil)
        #expect(plan.decide(HistoryBounds(compacted: 0, newest: 1500), at: .seconds(1)) == 500)
        #expect(plan.decide(HistoryBounds(compacted: 500, newest: 1500), at: .seconds(2)) == nil)
    }

    @Test func `a plan is never behind nor beyond the store`() {
        var chance = SeededChance(seed: 6)
        var plan = HistoryPlan(HistoryPlan.Limits(events: 50, age: .seconds(30)))
        var history = HistoryBounds(compacted: 0, newest: 1)
        var time = Duration.zero
        for _ in 0..<2000 {
            history.newest += Int64.random(in: 0...40, using: &chance)
            time += .seconds(Int.random(in: 0...20, using: &chance))
            guard let target = plan.decide(history, at: time) else { continue }
            #expect(target > history.compacted && target <= history.newest, "\(chance)")
            history.compacted = target
        }
        #expect(history.newest - history.compacted <= 50)
    }
}
