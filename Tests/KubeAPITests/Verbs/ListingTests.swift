import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct ListingTests {
    private func filled() async throws -> Door {
        let door = try await Door()
        for number in 0..<7 {
            _ = await door.send(
                "POST", maps, Door.configMap("m\(number)", labels: ["odd": number % 2 == 1 ? "yes" : "no"]))
        }
        return door
    }

    private func names(_ answer: Door.Answer) -> [String] {
        (answer.json["items"]?.array ?? []).compactMap { $0["metadata", "name"]?.string }
    }

    @Test func `a list comes in pages`() async throws {
        let door = try await filled()
        let first = await door.send("GET", maps + "?limit=3")
        #expect(names(first) == ["m0", "m1", "m2"])
        #expect(first.json["metadata", "remainingItemCount"] == 4)
        #expect(first.json["kind"] == "ConfigMapList")
        let token = first.json["metadata", "continue"]?.string ?? ""
        let rest = await door.send("GET", maps + "?limit=10&continue=\(token)")
        #expect(names(rest) == ["m3", "m4", "m5", "m6"])
        #expect(rest.json["metadata", "continue"] == nil)
        await door.close()
    }

    @Test func `pages of a selection have as many objects as they may`() async throws {
        let door = try await filled()
        let first = await door.send("GET", maps + "?limit=2&labelSelector=odd%3Dyes")
        #expect(names(first) == ["m1", "m3"])
        let token = first.json["metadata", "continue"]?.string ?? ""
        let rest = await door.send("GET", maps + "?limit=2&labelSelector=odd%3Dyes&continue=\(token)")
        #expect(names(rest) == ["m5"])
        await door.close()
    }

    @Test func `a list whose moment is gone can go on inconsistently`() async throws {
        let door = try await filled()
        let token = await door.send("GET", maps + "?limit=3").json["metadata", "continue"]?.string ?? ""
        let newest =
            await door.send("POST", maps, Door.configMap("z")).json["metadata", "resourceVersion"]?.string ?? ""
        _ = await door.send("POST", maps, Door.configMap("z2"))
        try await door.store.compact(to: Int64(newest)! + 1)
        let late = await door.send("GET", maps + "?limit=3&continue=\(token)")
        #expect(late.status == 410)
        #expect(late.reason == "Expired")
        #expect(
            late.message.hasPrefix("The provided continue parameter is too old to display a consistent list result."))
        let other = late.json["metadata", "continue"]?.string ?? ""
        let rest = await door.send("GET", maps + "?continue=\(other)")
        #expect(names(rest) == ["m3", "m4", "m5", "m6", "z", "z2"])
        await door.close()
    }

    @Test func `fields select objects, and others are refused`() async throws {
        let door = try await filled()
        #expect(names(await door.send("GET", maps + "?fieldSelector=metadata.name%3Dm4")) == ["m4"])
        let wrong = await door.send("GET", maps + "?fieldSelector=data.a%3D1")
        #expect(wrong.status == 400)
        let version = await door.send("GET", maps + "?resourceVersion=x")
        #expect(version.status == 422)
        #expect(
            version.message
                == "configmaps \"\" is invalid: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax"
        )
        let limit = await door.send("GET", maps + "?limit=x")
        #expect(limit.message == "strconv.ParseInt: parsing \"x\": invalid syntax")
        await door.close()
    }

    @Test func `what is not served is said so`() async throws {
        let door = try await Door()
        let kind = await door.send("GET", "/apis/example.com/v1/things")
        #expect(kind.status == 404)
        #expect(kind.message == "the server could not find the requested resource")
        let method = await door.send("POST", "/api/v1/configmaps", Door.configMap("a"))
        #expect(method.status == 405)
        #expect(method.message == "the server does not allow this method on the requested resource")
        let form = await door.send("GET", maps, headers: ["accept": "application/xml"])
        #expect(form.status == 406)
        await door.close()
    }
}

@Suite(.timeLimit(.minutes(2)))
struct SingleListTests {
    @Test func `a list of one name is of one moment, whatever is written meanwhile`() async throws {
        let door = try await Door()
        _ = await door.send("POST", maps, Door.configMap("a"))
        let path = maps + "?fieldSelector=metadata.name%3Da"
        await withTaskGroup { group in
            group.addTask {
                for number in 0..<100 {
                    _ = await door.send(
                        "PATCH", maps + "/a", "{\"data\":{\"n\":\"\(number)\"}}", type: "application/merge-patch+json")
                }
            }
            group.addTask {
                for _ in 0..<100 {
                    let list = await door.send("GET", path).json
                    let object = list["items"]?[0]
                    let (of, at) = (object?["metadata", "resourceVersion"], list["metadata", "resourceVersion"])
                    #expect(Int64(of?.string ?? "") ?? .max <= Int64(at?.string ?? "") ?? 0)
                }
            }
        }
        let none = await door.send("GET", maps + "?fieldSelector=metadata.name%3Db&labelSelector=x%3Dy")
        #expect(none.json["items"] == [])
        await door.close()
    }
}
