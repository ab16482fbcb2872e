import JSON
import TestKit
import Testing

@testable import KubeStore

/// What every store lists.
@Suite(.timeLimit(.minutes(2))) struct ListContractTests {
    private let pods = ResourceScope("pods")

    private func names(_ page: ObjectPage) -> [String] {
        page.objects.map { ($0.key.namespace ?? "") + "/" + $0.key.name }
    }

    @Test(arguments: StoreKind.allCases)
    func `a list has a resource's objects in the order of their keys`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        #expect(
            try await open.store.list(ListRequest(pods))
                == ObjectPage(objects: [], revision: 1, next: nil, remaining: 0))
        for (namespace, name) in [("b", "x"), ("a", "z"), ("a", "a"), ("a-b", "m")] {
            try await open.store.create(pod(name, in: namespace), object())
        }
        try await open.store.create(ObjectKey("nodes", "one"), object())
        try await open.store.create(ObjectKey("apps/deployments", namespace: "a", "d"), object())
        let all = try await open.store.list(ListRequest(pods))
        #expect(names(all) == ["a/a", "a/z", "a-b/m", "b/x"])
        #expect(all.revision == 7)
        #expect(names(try await open.store.list(ListRequest(ResourceScope("pods", namespace: "a")))) == ["a/a", "a/z"])
        #expect(names(try await open.store.list(ListRequest(ResourceScope("nodes")))) == ["/one"])
        #expect(names(try await open.store.list(ListRequest(ResourceScope("secrets")))) == [])
    }

    @Test(arguments: StoreKind.allCases)
    func `a list shows any revision of the history`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        try await open.store.create(pod("a"), object(1))
        try await open.store.create(pod("b"), object(1))
        try await open.store.update(pod("a"), object(2))
        try await open.store.delete(pod("b"))
        try await open.store.create(pod("b"), object(3))
        let states = ["", "a=1", "a=1 b=1", "a=2 b=1", "a=2", "a=2 b=3"]
        for (revision, state) in zip(Int64(1)..., states) {
            let page = try await open.store.list(ListRequest(pods, .exact(revision)))
            let text = page.objects.map { "\($0.key.name)=\($0.value["size"]!)" }.joined(separator: " ")
            #expect(text == state, "revision \(revision)")
            #expect(page.revision == revision)
        }
        await #expect(throws: ObjectStoreFailure.futureRevision(newest: 6, asked: 7)) {
            try await open.store.list(ListRequest(pods, .exact(7)))
        }
        await #expect(throws: ObjectStoreFailure.futureRevision(newest: 6, asked: 7)) {
            try await open.store.list(ListRequest(pods, .notOlder(than: 7)))
        }
        #expect(try await open.store.list(ListRequest(pods, .notOlder(than: 3))).revision == 6)
    }

    @Test(arguments: StoreKind.allCases)
    func `pages show one revision, whatever is written meanwhile`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        for number in 0..<10 { try await open.store.create(pod("p\(number)", in: "n\(number % 2)"), object(number)) }
        for scope in [pods, ResourceScope("pods", namespace: "n1")] {
            let whole = try await open.store.list(ListRequest(scope))
            var page = try await open.store.list(ListRequest(scope, limit: 3))
            var objects = page.objects
            while let token = page.next {
                #expect(page.remaining == whole.objects.count - objects.count)
                try await open.store.update(pod("p9", in: "n1"), object(100 + objects.count))
                try await open.store.commit([
                    .delete(whole.objects.last!.key), .create(whole.objects.last!.key, object(0)),
                    .create(pod("q\(objects.count)", in: scope.namespace ?? "n0"), object(7)),
                ])
                let text = try ContinueToken(text: token.text)
                #expect(text == token)
                page = try await open.store.list(ListRequest(scope, .continuing(text), limit: 3))
                #expect(page.revision == whole.revision)
                objects += page.objects
            }
            #expect(page.remaining == 0)
            #expect(objects == whole.objects)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a page that ends with the last object has no other behind it`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        for name in ["a", "b"] { try await open.store.create(pod(name), object()) }
        let page = try await open.store.list(ListRequest(pods, limit: 2))
        #expect(page.objects.count == 2)
        #expect(page.next == nil)
        #expect(page.remaining == 0)
    }

    @Test(arguments: StoreKind.allCases)
    func `a list that has become too old goes on in the newest state if asked to`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        for name in ["a", "b", "c", "d"] { try await open.store.create(pod(name), object(1)) }
        let token = try #require(try await open.store.list(ListRequest(pods, limit: 1)).next)
        try await open.store.delete(pod("b"))
        try await open.store.create(pod("e"), object(2))
        try await open.store.compact(to: 6)
        await #expect(throws: ObjectStoreFailure.tooOld(oldest: 6, asked: 5)) {
            try await open.store.list(ListRequest(pods, .continuing(token), limit: 1))
        }
        let inconsistent = try ContinueToken(text: token.inconsistent.text)
        let page = try await open.store.list(ListRequest(pods, .continuing(inconsistent), limit: 2))
        #expect(names(page) == ["default/c", "default/d"])
        #expect(page.revision == 7)
        #expect(page.remaining == 1)
        // From here on it is consistent again.
        #expect(page.next?.revision == 7)
    }

    @Test(arguments: StoreKind.allCases)
    func `a token of another list is refused`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        for name in ["a", "b"] { try await open.store.create(pod(name), object()) }
        let token = try #require(try await open.store.list(ListRequest(pods, limit: 1)).next)
        for scope in [ResourceScope("pods", namespace: "default"), ResourceScope("nodes")] {
            let failure = await #expect(throws: ObjectStoreFailure.self) {
                try await open.store.list(ListRequest(scope, .continuing(token), limit: 1))
            }
            guard case .invalidToken = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
        let future = ContinueToken(revision: 1000, scope: pods, last: pod("a"))
        await #expect(throws: ObjectStoreFailure.futureRevision(newest: 3, asked: 1000)) {
            try await open.store.list(ListRequest(pods, .continuing(future)))
        }
    }
}
