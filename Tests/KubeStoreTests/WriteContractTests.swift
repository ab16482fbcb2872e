import JSON
import TestKit
import Testing

@testable import KubeStore

/// What every store does with writes.
@Suite(.timeLimit(.minutes(2))) struct WriteContractTests {
    @Test(arguments: StoreKind.allCases)
    func `what is created is read back with its revision`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let created = try await open.store.create(pod("web"), object(1))
        let read = try await open.store.get(pod("web"))
        #expect(read == created)
        #expect(read.createRevision == read.revision)
        var expected = object(1)
        expected["metadata", "resourceVersion"] = .string(String(read.revision))
        #expect(read.value == expected)
        #expect(try JSONParser.parse(read.bytes) == expected)
    }

    @Test(arguments: StoreKind.allCases)
    func `what is there is not created again, and what is not there is not found`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        try await open.store.create(pod("web"), object(1))
        await #expect(throws: ObjectStoreFailure.alreadyExists(pod("web"))) {
            try await open.store.create(pod("web"), object(2))
        }
        let missing = ObjectStoreFailure.notFound(pod("none"))
        await #expect(throws: missing) { try await open.store.get(pod("none")) }
        await #expect(throws: missing) { try await open.store.update(pod("none"), object()) }
        await #expect(throws: missing) { try await open.store.delete(pod("none")) }
        // The same name elsewhere is another object.
        try await open.store.create(pod("web", in: "other"), object(3))
        try await open.store.create(ObjectKey("nodes", "web"), object(4))
        #expect(try await open.store.get(pod("web")).value["size"] == 1)
    }

    @Test(arguments: StoreKind.allCases)
    func `the resource version is the store's own`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        for (name, metadata) in [
            ("a", ["resourceVersion": "77"]), ("b", ["name": "b", "resourceVersion": "77"]), ("c", [:]),
        ]
            as [(String, JSONValue)]
        {
            let created = try await open.store.create(pod(name), ["metadata": metadata])
            #expect(created.value["metadata", "resourceVersion"]?.string == String(created.revision))
            #expect(try await open.store.get(pod(name)).value == created.value)
        }
        let bare = try await open.store.create(pod("d"), ["kind": "Pod"])
        #expect(bare.value["metadata", "resourceVersion"]?.string == bare.resourceVersion)
    }

    @Test(arguments: StoreKind.allCases)
    func `what could not be read again is refused`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        var deep: JSONValue = 1
        for _ in 0..<600 { deep = [deep] }
        for value in [3, [], ["metadata": "name"], ["deep": deep]] as [JSONValue] {
            let failure = await #expect(throws: ObjectStoreFailure.self) {
                try await open.store.create(pod("web"), value)
            }
            guard case .invalidObject = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
        #expect(try await open.store.list(ListRequest(ResourceScope("pods"))).objects == [])
    }

    @Test(arguments: StoreKind.allCases)
    func `revisions increase over all resources`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        var last = try await open.store.history().newest
        #expect(last == 1)
        for round in 0..<3 {
            let written = [
                round == 0
                    ? try await open.store.create(pod("web"), object(round))
                    : try await open.store.update(pod("web"), object(round)).object,
                try await open.store.create(ObjectKey("nodes", "n\(round)"), object()),
                try await open.store.delete(ObjectKey("nodes", "n\(round)")),
            ]
            for object in written {
                #expect(object.revision == last + 1)
                last = object.revision
            }
        }
        #expect(try await open.store.history().newest == last)
        #expect(try await open.store.get(pod("web")).createRevision == 2)
    }

    @Test(arguments: StoreKind.allCases)
    func `a precondition that does not hold is a conflict with what is there`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let first = try await open.store.create(pod("web"), object(1, uid: "a"))
        let second = try await open.store.update(
            pod("web"), object(2, uid: "a"), if: Precondition(revision: first.revision, uid: "a"))
        for wrong in [Precondition(revision: first.revision), Precondition(uid: "b")] {
            let conflict = ObjectStoreFailure.conflict(current: second.object, wrong)
            await #expect(throws: conflict) { try await open.store.update(pod("web"), object(3), if: wrong) }
            // Also when nothing would change.
            await #expect(throws: conflict) { try await open.store.update(pod("web"), object(2, uid: "a"), if: wrong) }
            await #expect(throws: conflict) { try await open.store.delete(pod("web"), if: wrong) }
        }
        let gone = try await open.store.delete(pod("web"), if: Precondition(revision: second.object.revision, uid: "a"))
        #expect(gone.value["size"] == 2)
        #expect(gone.revision == second.object.revision + 1)
        #expect(gone.value["metadata", "resourceVersion"]?.string == gone.resourceVersion)
    }

    @Test(arguments: StoreKind.allCases)
    func `an update without a change is no event`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let created = try await open.store.create(pod("web"), object(1))
        let watch = try await open.store.watch(WatchRequest(ResourceScope("pods"), .now))
        // What clients send back has the revision in it.
        for value in [object(1), created.value] {
            let same = try await open.store.update(pod("web"), value)
            #expect(same == WrittenObject(object: created, isChanged: false))
        }
        #expect(try await open.store.history().newest == created.revision)
        try await open.store.update(pod("web"), object(2))
        #expect(try await take(1, watch).map(\.text) == ["~web=2"])
    }

    @Test(arguments: StoreKind.allCases)
    func `a commit with one bad write changes nothing`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        try await open.store.create(pod("a"), object(1))
        let before = try await open.store.history()
        await #expect(throws: ObjectStoreFailure.notFound(pod("c"))) {
            try await open.store.commit([
                .update(pod("a"), object(2)), .create(pod("b"), object(2)), .delete(pod("c")), .delete(pod("a")),
            ])
        }
        #expect(try await open.store.history() == before)
        #expect(try await open.store.get(pod("a")).value["size"] == 1)
        await #expect(throws: ObjectStoreFailure.notFound(pod("b"))) { try await open.store.get(pod("b")) }
    }

    @Test(arguments: StoreKind.allCases)
    func `the writes of a commit see those before them`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let watch = try await open.store.watch(WatchRequest(ResourceScope("pods"), .now))
        let written = try await open.store.commit([
            .create(pod("a"), object(1)), .update(pod("a"), object(2)), .update(pod("a"), object(2)), .delete(pod("a")),
            .create(pod("a"), object(3)),
        ])
        #expect(written.map(\.object.revision) == [2, 3, 3, 4, 5])
        #expect(written.map(\.isChanged) == [true, true, false, true, true])
        #expect(try await take(4, watch).map(\.text) == ["+a=1", "~a=2", "-a=2", "+a=3"])
        let there = try await open.store.get(pod("a"))
        #expect(there.createRevision == 5)
        #expect(try await open.store.commit([]) == [])
    }

    @Test(arguments: StoreKind.allCases)
    func `names that look the same are different objects, and contents may be large`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let store = open.store
        let names = ["cafe\u{301}", "caf\u{E9}", "caf\u{E9}\0"]
        let watch = try await store.watch(WatchRequest(ResourceScope("pods", namespace: "caf\u{E9}"), .now))
        for (number, name) in names.enumerated() {
            try await store.create(pod(name, in: "cafe\u{301}"), object(number))
            try await store.create(pod(name, in: "caf\u{E9}"), object(10 + number))
        }
        let text = String(repeating: "\u{1F600}\"\n", count: 500_000)
        try await store.create(pod("large", in: "caf\u{E9}"), ["text": .string(text)])
        for (number, name) in names.enumerated() {
            #expect(try await store.get(pod(name, in: "caf\u{E9}")).value["size"] == .integer(Int64(10 + number)))
        }
        let page = try await store.list(ListRequest(ResourceScope("pods"), limit: 4))
        #expect(page.objects.map { $0.value["size"]?.integer } == [0, 1, 2, 10])
        let token = try ContinueToken(text: try #require(page.next).text)
        let rest = try await store.list(ListRequest(ResourceScope("pods"), .continuing(token)))
        #expect(rest.objects.map { $0.value["size"]?.integer } == [11, 12, nil])
        #expect(rest.objects.last?.value["text"]?.string == text)
        #expect(try await take(4, watch).map { $0.object?.value["size"]?.integer } == [10, 11, 12, nil])
    }

    @Test(arguments: StoreKind.allCases)
    func `changes by many who read first are all made`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let store = open.store
        try await store.create(pod("web"), object(0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10 {
                        _ = try await store.modify(pod("web")) { current throws(Never) in
                            object(Int(current.value["size"]!.integer!) + 1)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.get(pod("web")).value["size"] == 80)
    }

    @Test(arguments: StoreKind.allCases)
    func `a change may be refused by who makes it, and by its precondition`(_ kind: StoreKind) async throws {
        struct Refused: Error {}
        let open = try await kind.open()
        let created = try await open.store.create(pod("web"), object(1, uid: "a"))
        let outcome = try await open.store.modify(pod("web")) { _ throws(Refused) in throw Refused() }
        #expect(throws: Refused.self) { try outcome.get() }
        let wrong = Precondition(uid: "b")
        await #expect(throws: ObjectStoreFailure.conflict(current: created, wrong)) {
            try await open.store.modify(pod("web"), if: wrong) { _ throws(Never) in object(2) }
        }
        await #expect(throws: ObjectStoreFailure.notFound(pod("none"))) {
            try await open.store.modify(pod("none")) { _ throws(Never) in object(2) }
        }
        #expect(try await open.store.get(pod("web")) == created)
    }
}
