import JSON
import KubeObjects
import KubeSchema
import Synchronization
import TestKit
import Testing

@testable import KubeAPI

/// Kinds whose objects declare what is kept elsewhere.
struct ObjectAuthorityTests {
    /// Keeps the data of config maps, and refuses some.
    final class Notes: ObjectAuthority {
        let resource = Resource.configMaps
        let kept = Mutex<[String: JSONValue]>([:])
        let calls = Mutex<[String]>([])
        /// Held while a declaration is under way.
        let inside = Mutex(0)

        func data(_ name: String) -> JSONValue? { kept.withLock { $0[name] } }
        var isEmpty: Bool { kept.withLock { $0.isEmpty } }
        var hasCalls: Bool { calls.withLock { !$0.isEmpty } }

        func declare(
            _ object: JSONValue, over old: JSONValue?, by user: String, isDryRun: Bool
        ) async throws(APIFailure) -> JSONValue {
            let count = inside.withLock { count in
                count += 1
                return count
            }
            #expect(count == 1, "one after the other")
            await Task.yield()
            defer { inside.withLock { $0 -= 1 } }
            let object = KubeObject(json: object)
            calls.withLock { $0.append("\(old == nil ? "create" : "update") \(object.name)\(isDryRun ? " dry" : "")") }
            guard object.json["data", "a"] != "bad" else { throw APIFailure(422, "Invalid", "data.a is bad") }
            if !isDryRun { kept.withLock { $0[object.name] = object.json["data"] } }
            var result = object
            result.metadata.annotations["kept"] = "yes"
            return result.json
        }

        func withdraw(_ object: JSONValue, by user: String) async throws(APIFailure) {
            let name = KubeObject(json: object).name
            guard name != "held" else { throw APIFailure(409, "Conflict", "it is held") }
            kept.withLock { $0[name] = nil }
        }
    }

    private let place = "/api/v1/namespaces/default/configmaps"

    @Test func `what the authority of a kind refuses is not stored`() async throws {
        let notes = Notes()
        let door = try await Door(authorities: [notes])
        let bad = await door.send("POST", place, Door.configMap("one", ["a": "bad"]))
        #expect(bad.status == 422 && bad.message == "data.a is bad")
        #expect(await door.send("GET", place + "/one").status == 404)
        let made = await door.send("POST", place, Door.configMap("one", ["a": "1"]))
        #expect(made.status == 201 && made.json["metadata", "annotations", "kept"] == "yes", "what it gives back is stored")
        #expect(notes.data("one") == ["a": "1"])
        let refused = await door.send(
            "PATCH", place + "/one", ["data": ["a": "bad"]], type: "application/merge-patch+json")
        #expect(refused.status == 422)
        #expect(await door.send("GET", place + "/one").json["data", "a"] == "1")
        await door.close()
    }

    @Test func `an authority is asked after everybody else and told nothing that is not so`() async throws {
        let notes = Notes()
        let door = try await Door(authorities: [notes])
        #expect(await door.send("POST", place + "?dryRun=All", Door.configMap("one", ["a": "1"])).status == 201)
        #expect(notes.isEmpty)
        #expect(await door.send("POST", place, Door.configMap("one", ["a": "1"])).status == 201)
        notes.calls.withLock { $0 = [] }
        #expect(await door.send("POST", place, Door.configMap("one", ["a": "2"])).status == 409)
        var other = Door.configMap("one", ["a": "2"])
        other["metadata", "resourceVersion"] = "1"
        #expect(await door.send("PUT", place + "/one", other).status == 409)
        #expect(await door.send("POST", place, Door.configMap("B_A_D", ["a": "2"])).status == 422)
        #expect(!notes.hasCalls && notes.data("one") == ["a": "1"])
        let same = await door.send("PATCH", place + "/one", ["data": ["a": "1"]], type: "application/merge-patch+json")
        #expect(same.status == 200 && !notes.hasCalls, "a write that changes nothing declares nothing")
        #expect(await door.send("DELETE", place + "/one").status == 200)
        #expect(notes.isEmpty)
        #expect(await door.send("POST", place, Door.configMap("held", ["a": "1"])).status == 201)
        #expect(await door.send("DELETE", place + "/held").status == 409)
        #expect(await door.send("GET", place + "/held").status == 200)
        await door.close()
    }

    @Test func `objects of a kind with an authority are written one after the other`() async throws {
        let notes = Notes()
        let door = try await Door(authorities: [notes])
        let statuses = await withTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask { await door.send("POST", place, Door.configMap("n\(number % 10)", ["a": "\(number)"])).status }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 201 }.count == 10 && statuses.filter { $0 == 409 }.count == 10)
        for number in 0..<10 {
            let stored = await door.send("GET", place + "/n\(number)").json["data"]
            #expect(notes.data("n\(number)") == stored, "what is kept is what is stored")
        }
        await door.close()
    }
}
