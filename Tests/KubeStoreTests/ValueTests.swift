import JSON
import TestKit
import Testing

@testable import KubeStore

/// Keys and tokens.
struct ValueTests {
    @Test func `keys are compared by their bytes`() {
        let composed = pod("caf\u{E9}")
        let decomposed = pod("cafe\u{301}")
        #expect(composed.name == decomposed.name, "Swift takes them for one")
        #expect(composed != decomposed)
        #expect((decomposed < composed) && !(composed < decomposed))
        let sorted = [
            ObjectKey("nodes", "z"), ObjectKey("pods", "cluster"), pod("b", in: "a"), pod("a", in: "a-b"),
            pod("a", in: "b"),
        ]
        #expect(sorted.shuffled().sorted() == sorted)
        #expect(!ResourceScope("pods", namespace: "caf\u{E9}").contains(pod("a", in: "cafe\u{301}")))
    }

    @Test func `a token is read as it was written`() throws {
        let tokens = [
            ContinueToken(revision: 7, scope: ResourceScope("pods"), last: pod("web")),
            ContinueToken(
                revision: .max, scope: ResourceScope("pods", namespace: "default"), last: pod("\u{1F600}?>~")),
            ContinueToken(revision: nil, scope: ResourceScope("nodes"), last: ObjectKey("nodes", "a\"b")),
        ]
        for token in tokens {
            #expect(try ContinueToken(text: token.text) == token)
            #expect(token.text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        }
    }

    @Test func `what is no token is refused`() throws {
        let good = ContinueToken(revision: 7, scope: ResourceScope("pods"), last: pod("web")).text
        var texts = ["", "x", "%", "e30", good + "=", good + "A", " " + good, String(good.dropLast())]
        let members: [JSONValue] = [
            [:], 1, ["v": 1], ["v": 2, "rv": 7, "resource": "pods", "scope": "", "namespace": "a", "name": "b"],
            ["v": 1, "rv": -2, "resource": "pods", "scope": "", "namespace": "a", "name": "b"],
            ["v": 1, "rv": 7, "resource": "", "scope": "", "namespace": "a", "name": "b"],
            ["v": 1, "rv": 7, "resource": "pods", "scope": "", "namespace": "a", "name": ""],
            ["v": 1, "rv": 7, "resource": "pods", "scope": "c", "namespace": "a", "name": "b"],
            ["v": 1, "rv": 7, "resource": "pods", "scope": "", "namespace": "a", "name": "b", "more": 1],
            ["v": 1, "rv": 1.5, "resource": "pods", "scope": "", "namespace": "a", "name": "b"],
        ]
        texts += members.map { Base64.text(JSONWriter.bytes($0)).filter { $0 != "=" } }
        for text in texts {
            let failure = #expect(throws: ObjectStoreFailure.self, "\(text)") { try ContinueToken(text: text) }
            guard case .invalidToken = failure else {
                Issue.record("\(text): \(String(describing: failure))")
                continue
            }
        }
    }

    @Test func `changed tokens never trap`() {
        var chance = SeededChance(seed: 11)
        let good = Array(ContinueToken(revision: 70, scope: ResourceScope("pods"), last: pod("web")).text.utf8)
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0...Int.random(in: 0...3, using: &chance) {
                bytes[Int.random(in: 0..<bytes.count, using: &chance)] = UInt8.random(in: .min ... .max, using: &chance)
            }
            guard let token = try? ContinueToken(text: String(decoding: bytes, as: UTF8.self)) else { continue }
            #expect(token.text == String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func `a queue gives back what was put in, in order`() {
        var chance = SeededChance(seed: 3)
        var queue = Fifo<Int>()
        var model: [Int] = []
        for number in 0..<3000 {
            if Bool.random(using: &chance) {
                queue.append(number)
                model.append(number)
            } else {
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(queue.count == model.count && queue.first == model.first)
            if !model.isEmpty { #expect(queue[model.count - 1] == model.last) }
        }
    }

    @Test func `failures say what was tried and why`() throws {
        let object = StoredObject(
            pod("web"), createRevision: 2, revision: 3, try ObjectBody(["metadata": ["uid": "a"]]))
        let conflict = ObjectStoreFailure.conflict(current: object, Precondition(revision: 2, uid: "b"))
        #expect(
            conflict.description
                == "change pods default/web: it was to be at revision 2 and the one with the uid b, and is "
                + "at revision 3 with the uid a.")
        #expect(ObjectStoreFailure.notFound(ObjectKey("nodes", "n")).description == "find nodes n: there is none.")
    }
}
