@testable import Catalog
import Glibc
import JSON
import Lambda
import Linux
import TestKit
import Testing

/// Requests with random damage, decided on a state that has something of every kind: each is refused with a sentence or
/// makes a change that can be written and read again. FORKLESS_FUZZ_SECONDS makes it run longer; inputs that are worth
/// keeping are in Tests/Fuzz/Corpus/lambda-request, each with operation, path, query and body.
struct RequestFuzzTests {
    private static let corpus = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fuzz/Corpus/lambda-request"

    @Test func `damaged requests are refused, or make changes that can be kept`() throws {
        var seeds: [[UInt8]] = []
        for name in try Files.list(Self.corpus).sorted() { seeds.append(try Files.read(Self.corpus + "/" + name)) }
        #expect(seeds.count >= 10)
        var state = CatalogState(settings: TestCatalog.settings, places: CodePlaces(code: "/code", layers: "/layers"))
        // In the order of their names they build upon one another, and all of them are sound.
        for seed in seeds { #expect(try Self.perform(seed, &state), "\(String(decoding: seed, as: UTF8.self))") }
        let seconds = getenv("FORKLESS_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }
        let end = ContinuousClock.now + .seconds(seconds ?? 0)
        var chance = SeededChance(seed: seconds == nil ? 2026 : .random(in: .min ... .max))
        var (rounds, accepted) = (0, 0)
        while rounds < 4000 || ContinuousClock.now < end {
            let bytes = Self.damaged(seeds, &chance)
            var copy = state
            do {
                if try Self.perform(bytes, &copy) { accepted += 1 }
            } catch {
                Issue.record("\(error) on \(String(decoding: bytes, as: UTF8.self)) (\(chance))")
                return
            }
            rounds += 1
        }
        #expect(accepted > 0 && accepted < rounds, "\(chance)")
        if seconds != nil { print("\(rounds) requests, \(accepted) accepted, \(chance)") }
    }

    /// Whether it was accepted.
    private static func perform(_ bytes: [UInt8], _ state: inout CatalogState) throws -> Bool {
        guard let json = try? JSONParser.parse(bytes), let operation = json["operation"]?.string.flatMap(LambdaOperation.init) else {
            return false
        }
        var path: [String: String] = [:]
        for member in json["path"]?.object?.members ?? [] { path[member.key] = member.value.string }
        let query = (json["query"]?.object?.members ?? []).map { (name: $0.key, value: $0.value.string ?? "") }
        var request = CatalogRequest(OperationInput(path: path, query: query, body: json["body"] ?? .null))
        var moment = Moment(now: Timestamp(nanoseconds: 1_800_000_000_000_000_000), chance: SeededChance(seed: 1), hooks: CatalogHooks())
        let decision: Decision
        do throws(LambdaFailure) {
            switch try CodeMaking.source(operation, request.input.body) {
            case .zip(let zip):
                let (digest, hex) = CodeShelf.names(zip)
                request.code = CodeRecord(kind: .zip(directory: hex), digest: digest, size: zip.count, unpackedSize: zip.count)
            case .image(let uri):
                request.code = CodeRecord(kind: .image(id: "sha256:1", uri: uri, resolvedURI: uri), digest: "1", size: 1, unpackedSize: 0)
            case nil: break
            }
            decision = try state.decide(operation, request, &moment)
        } catch {
            #expect(400..<500 ~= error.status, "\(error)")
            #expect(!error.message.isEmpty && error.message.utf8.count < 8192)
            _ = JSONWriter.bytes(error.body)
            return false
        }
        if let body = decision.body { #expect(try JSONParser.parse(JSONWriter.bytes(body)) == body) }
        for change in decision.changes { try check(change, state.account) }
        for change in decision.changes { state.apply(change) }
        return true
    }

    /// What is written is read as what was written.
    private static func check(_ change: CatalogChange, _ account: LambdaAccount) throws {
        func reader(_ object: JSONObject) throws -> JSONObjectReader {
            try JSONObjectReader(try JSONParser.parse(JSONWriter.bytes(.object(object))))
        }
        switch change {
        case .function(let record):
            var part = try reader(record.stored)
            #expect(try FunctionRecord(name: record.name, &part) == record)
            #expect(FunctionReference.isName(record.name))
        case .version(_, let version):
            var part = try reader(version.stored)
            #expect(try VersionRecord(&part) == version)
        case .layerVersion(let record):
            var part = try reader(record.stored)
            #expect(try LayerVersionRecord(&part) == record)
        case .mapping(let record):
            var part = try reader(record.stored)
            #expect(try MappingRecord(&part, account) == record)
        default: break
        }
    }

    private static let words = [
        "\"", "{", "}", "[", "]", ":", ",", "null", "true", "-1", "1e99", "9223372036854775808", "0.5", "\\u0000", "\\ud800", "é", "{}", "[]",
        "\"\"", "$LATEST", "forkless:", "arn:aws:lambda:us-east-1:000000000000:function:echo", "echo", "live", ":1", "../", "\"Tags\":", "\"Layers\":",
        "\"Environment\":{\"Variables\":", "\"RevisionId\":\"x\",", "128", "901",
    ].map { Array($0.utf8) }

    private static func damaged(_ seeds: [[UInt8]], _ chance: inout SeededChance) -> [UInt8] {
        var bytes = seeds.randomElement(using: &chance)!
        for _ in 0...Int.random(in: 0...3, using: &chance) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &chance)
            let end = min(bytes.count, at + Int.random(in: 1...24, using: &chance))
            switch Int.random(in: 0..<6, using: &chance) {
            case 0: bytes[at] = .random(in: 0...255, using: &chance)
            case 1: bytes.replaceSubrange(at..<end, with: words.randomElement(using: &chance)!)
            case 2: bytes.insert(contentsOf: words.randomElement(using: &chance)!, at: at)
            case 3: bytes.removeSubrange(at..<end)
            case 4: bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &chance))
            default:
                let other = seeds.randomElement(using: &chance)!
                let from = Int.random(in: 0..<other.count, using: &chance)
                bytes.replaceSubrange(at..<end, with: other[from..<min(other.count, from + Int.random(in: 1...40, using: &chance))])
            }
        }
        return bytes
    }
}
