import Glibc
import JSON
import OCI
import TestKit
import Linux
import Testing

/// Manifests, indexes and configs with random damage: each is refused with a sentence, or read, and what was read is
/// written and read again. FORKLESS_FUZZ_SECONDS makes it run longer than the few rounds of every test run.
@Suite struct DocumentFuzzTests {
    @Test func `damaged manifests and indexes are read or refused`() throws {
        try Self.run("manifest") { bytes in
            guard let document = Self.tried({ () throws(DocumentError) in try ImageDocument(bytes) }) else { return }
            #expect(document.bytes == bytes)
            switch document {
            case .manifest(let manifest):
                #expect(manifest.layers.count <= DocumentLimits.layers)
                for part in [manifest.config] + manifest.layers {
                    #expect((0...DocumentLimits.blobBytes).contains(part.size))
                    #expect(!part.digest.description.contains("/"))
                }
                let written = Manifest(
                    mediaType: manifest.mediaType, config: manifest.config, layers: manifest.layers,
                    annotations: manifest.annotations)
                let again = try Manifest(written.bytes)
                #expect(again.config == manifest.config && again.layers == manifest.layers)
            case .index(let index):
                #expect(index.manifests.count <= DocumentLimits.manifests)
                let written = Index(mediaType: index.mediaType, manifests: index.manifests, annotations: index.annotations)
                #expect(try Index(written.bytes).manifests == index.manifests)
                _ = index.manifest(for: .ofThisMachine)
            }
        }
    }

    @Test func `damaged configs are read or refused, and written as they were read`() throws {
        try Self.run("config") { bytes in
            guard let config = Self.tried({ () throws(DocumentError) in try ImageConfig(bytes) }) else { return }
            let written = config.encoded()
            let again = try ImageConfig(written)
            #expect(again.encoded() == written)
            #expect(again.defaults == config.defaults && again.diffIDs == config.diffIDs)
            #expect(again.history == config.history && again.platform == config.platform)
            for (name, value) in config.defaults.environment {
                #expect(!name.isEmpty && !name.utf8.contains(0) && !value.utf8.contains(0))
            }
        }
    }

    @Test func `damaged documents of the runtime specification are read or refused`() throws {
        try Self.run("runtime-config") { bytes throws in
            if let spec = Self.tried({ () throws(DocumentError) in try RuntimeSpec(bytes) }) {
                _ = Self.tried({ () throws(DocumentError) in try spec.check() })
                #expect(spec.linux.maskedPaths.allSatisfy { $0.hasPrefix("/") })
                for map in [spec.linux.uidMappings, spec.linux.gidMappings] {
                    #expect(map.allSatisfy { UInt64($0.hostID) + UInt64($0.size) <= UInt64(UInt32.max) })
                }
                for sysctl in spec.linux.sysctl.keys.compactMap(SysctlName.init) { #expect(!sysctl.path.contains("..")) }
                _ = spec.warnings
            }
            if let process = Self.tried({ () throws(DocumentError) in try ProcessSpec(bytes) }) {
                _ = Self.tried({ () throws(DocumentError) in try process.check() })
            }
            if let resources = Self.tried({ () throws(DocumentError) in try Resources(bytes) }) {
                #expect(resources.unified.keys.allSatisfy { !$0.contains("/") })
            }
            if let state = Self.tried({ () throws(DocumentError) in try RuntimeState(bytes) }) {
                let again = try RuntimeState(JSONWriter.bytes(state.json))
                #expect(again == state)
            }
        }
    }

    private static func tried<Value>(_ read: () throws(DocumentError) -> Value) -> Value? {
        do throws(DocumentError) { return try read() } catch {
            #expect(!error.problem.isEmpty)
            return nil
        }
    }

    private static func run(_ corpus: String, _ check: ([UInt8]) throws -> Void) throws {
        let directory = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
            .joined(separator: "/") + "/Fuzz/Corpus/" + corpus
        let seeds = try Files.list(directory).sorted().map { try Files.read(directory + "/" + $0) }
        #expect(seeds.count >= 5)
        for seed in seeds { try check(seed) }
        let seconds = getenv("FORKLESS_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }
        let end = ContinuousClock.now + .seconds(seconds ?? 0)
        var chance = SeededChance(seed: seconds == nil ? 2026 : .random(in: .min ... .max))
        var rounds = 0
        while rounds < 3000 || ContinuousClock.now < end {
            let bytes = damaged(seeds, &chance)
            do { try check(bytes) } catch {
                Issue.record("\(error) on \(String(decoding: bytes, as: UTF8.self)) (\(chance))")
                return
            }
            rounds += 1
        }
        if seconds != nil { print("\(rounds) documents, \(chance)") }
    }

    private static let words = [
        "\"", "{", "}", "[", "]", ":", ",", "null", "true", "-1", "1e99", "9223372036854775808", "\\u0000", "\\ud800", "\0",
        "\"layers\"", "\"manifests\"", "\"config\"", "\"mediaType\"", "\"size\"", "\"digest\"", "\"sha256:", "../", "/", "\"variant\"",
        "18446744073709551615", "4294967295", "\"process\"", "\"linux\"", "\"seccomp\"", "\"resources\"", "\"namespaces\"",
        "\"args\"", "\"path\"", "\"net./../x\"", "\"SCMP_ACT_NOTIFY\"", "\"idmap\"",
        "\"os\"", "\"Env\"", "\"\"", "é", "\u{FEFF}",
    ].map { Array($0.utf8) }

    private static func damaged(_ seeds: [[UInt8]], _ chance: inout SeededChance) -> [UInt8] {
        var bytes = seeds.randomElement(using: &chance)!
        for _ in 0...Int.random(in: 0..<5, using: &chance) {
            let at = Int.random(in: 0...bytes.count, using: &chance)
            let end = min(bytes.count, at + Int.random(in: 0..<24, using: &chance))
            switch Int.random(in: 0..<5, using: &chance) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.replaceSubrange(at..<end, with: words.randomElement(using: &chance)!)
            case 2: bytes.insert(contentsOf: words.randomElement(using: &chance)!, at: at)
            case 3: if at < bytes.count { bytes[at] = .random(in: 0...255, using: &chance) }
            default:
                let other = seeds.randomElement(using: &chance)!
                let from = Int.random(in: 0...other.count, using: &chance)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 64)], at: at)
            }
        }
        return bytes
    }
}
