import JSON
import OCI
import Testing

@Suite struct ManifestTests {
    private func problem(_ change: (inout JSONValue) -> Void, sentAs type: String? = nil) -> String? {
        do throws(DocumentError) {
            _ = try Manifest(Documents.bytes(Documents.manifest, change), mediaType: type)
            return nil
        } catch { return error.description }
    }

    @Test func `a manifest keeps the bytes that were read`() throws {
        let text = JSONWriter.bytes(Documents.manifest, .indented(3))
        let manifest = try Manifest(text)
        #expect(manifest.bytes == text)
        #expect(manifest.config == Documents.config)
        #expect(manifest.layers == [Documents.layer])
    }

    @Test func `a written manifest reads as what was written`() throws {
        let written = Manifest(config: Documents.config, layers: [Documents.layer], annotations: ["b": "1", "a": "2"])
        #expect(try Manifest(written.bytes) == written)
        #expect(try ImageDocument(written.bytes) == .manifest(written))
    }

    @Test func `CVE-2021-41190: a document with layers and manifests is refused`() throws {
        let both = problem { $0["manifests"] = [] }
        #expect(both?.contains("manifests: it makes the document ambiguous") == true)
        let asIndex = Documents.bytes(Documents.manifest) {
            $0["mediaType"] = nil
            $0["manifests"] = []
        }
        #expect(throws: DocumentError.self) { try ImageDocument(asIndex) }
        #expect(throws: DocumentError.self) { try Index(asIndex) }
        #expect(problem({ _ in }, sentAs: MediaType.index)?.contains("was sent as") == true)
        #expect(problem { $0["mediaType"] = .string(MediaType.index) }?.contains("another kind") == true)
    }

    @Test func `what a manifest may not say is refused by name`() {
        #expect(problem { $0["schemaVersion"] = 1 }?.contains("schemaVersion: expected 2") == true)
        #expect(problem { $0["config"] = nil }?.contains("config: expected an object") == true)
        #expect(problem { $0["layers"] = nil }?.contains("layers: expected an array") == true)
        #expect(problem { $0["layers"] = "x" }?.contains("layers: expected an array, found a string") == true)
        #expect(problem { $0["config", "digest"] = "sha256:../x" }?.contains("config.digest") == true)
        #expect(problem { $0["config", "size"] = -1 }?.contains("config.size") == true)
        #expect(problem { $0["config", "size"] = 1_000_000_000 }?.contains("at most") == true)
        #expect(problem { $0["config", "mediaType"] = "application/vnd.oci.empty.v1+json" }?.contains("artifact") == true)
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        #expect(problem { $0["layers"]?.array?[0]["mediaType"] = .string(foreign) }?.contains("layers[0]") == true)
        #expect(problem { $0["annotations"] = ["a": "x\0y"] }?.contains("NUL") == true)
    }

    @Test func `CVE-2026-47262: a manifest of 100,000 layers or many megabytes is refused`() {
        let layers = JSONValue.array(Array(repeating: ["x": 1], count: 100_000))
        #expect(problem { $0["layers"] = layers }?.contains("100000 elements; at most 500") == true)
        #expect(problem { $0["x"] = .string(String(repeating: " ", count: 5 << 20)) }?.contains("at most 4194304") == true)
    }

    @Test func `cut or changed anywhere, a manifest is refused or read, and never traps`() {
        let bytes = Documents.bytes(Documents.manifest)
        for end in bytes.indices { #expect(throws: DocumentError.self) { try Manifest(Array(bytes[..<end])) } }
        for at in bytes.indices {
            for byte in [0x00, 0x22, 0x7B, 0xFF] as [UInt8] {
                var changed = bytes
                changed[at] = byte
                if let manifest = try? Manifest(changed) { #expect(manifest.bytes == changed) }
            }
        }
    }
}
