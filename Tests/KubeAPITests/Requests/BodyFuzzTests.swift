import JSON
import KubeObjects
import TestKit
import Testing

@testable import KubeAPI

/// Bodies of requests in JSON, YAML and protocol buffers, with random damage, through the whole server. An input is the type of
/// the body, the method and path, and the body, each on lines of its own.
@Suite(.timeLimit(.minutes(20))) struct BodyFuzzTests {
    private struct Wrong: Error, CustomStringConvertible { var description: String }

    @Test func `damaged bodies are refused in words, and nothing of them is stored`() async throws {
        let door = try await Door()
        _ = await door.send("POST", deployments, Door.deployment("web"))
        let target = try FuzzTarget(
            "kube-body",
            words: [
                "null", "{}", "[]", "\"\"", "-1", "1e400", "9223372036854775808", "0.5", "\\u0000", "\\ud800", "é", "{",
                "}", "[", "]", ":",
                ",", "\n", "- ", "  ", "&a ", "*a", "<<: ", "!!int ", "? ", "| ", "> ", "~", "\"metadata\":",
                "\"name\":", "k8s\0",
                "\"labels\":{\"a\":", "\"containers\":[{", "\"fieldsV1\":{", "\"ownerReferences\":[{}],",
                "\"resourceVersion\":\"1\",",
                "\u{0A}\u{7F}", "\u{12}\u{02}", "json", "yaml",
            ])
        let (rounds, taken) = try await target.run(rounds: 3000) { input, _ in
            let lines = input.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
            guard lines.count == 3 else { return false }
            let words = String(decoding: lines[1], as: UTF8.self).split(separator: " ").map(String.init)
            guard words.count == 2, words[1].hasPrefix("/") else { return false }
            let path = words[1] + (words[1].contains("?") ? "&" : "?") + "dryRun=All"
            let type = String(decoding: lines[0], as: UTF8.self)
            return try Self.check(await door.raw(words[0], path, Array(lines[2]), type: type))
        }
        #expect(taken > 0 && taken < rounds)
        // Nothing is there but what was made before.
        let names = await door.send("GET", deployments).json["items"]?.array?.compactMap {
            $0["metadata", "name"]?.string
        }
        #expect(names == ["web"])
        #expect(await door.send("GET", "/api/v1/pods").json["items"] == [])
        await door.close()
    }

    private static let versioned = "resourceVersion should not be set on objects to be created"

    /// Whether it was taken.
    private static func check(_ answer: APIAnswer) throws -> Bool {
        switch answer {
        case .whole(let whole):
            guard whole.status >= 400 else { return whole.status == 201 || whole.status == 200 }
            let json = try? JSONParser.parse(whole.body)
            // A body is never the server's mistake, but for one that kube-apiserver itself calls so.
            guard
                whole.status < 500 || whole.status == 501 || whole.status == 504
                    || json?["message"]?.string == versioned
            else {
                throw Wrong(description: "\(whole.status): \(String(decoding: whole.body, as: UTF8.self))")
            }
            guard json?["kind"] == "Status", json?["message"]?.string?.isEmpty == false else {
                throw Wrong(
                    description: "\(whole.status) without a word: \(String(decoding: whole.body, as: UTF8.self))")
            }
            return false
        case .parts(_, let parts):
            parts.cancel()
            return false
        case .pod, .proxy: return false
        }
    }
}
