import JSON
import OCI
import Testing

@Suite struct IndexTests {
    private func entry(_ character: Character, _ platform: String?) -> Descriptor {
        Descriptor(
            mediaType: MediaType.manifest, digest: Documents.digest(character), size: 1,
            platform: platform.map { Platform($0)! })
    }

    private func choice(_ platform: String, _ entries: [Descriptor]) -> Digest? {
        Index(manifests: entries).manifest(for: Platform(platform)!)?.digest
    }

    @Test func `an index keeps its bytes and reads as what was written`() throws {
        let index = Index(manifests: [entry("1", "linux/amd64"), entry("2", "linux/arm64/v8"), entry("3", nil)])
        #expect(try Index(index.bytes) == index)
        #expect(try ImageDocument(index.bytes, mediaType: MediaType.index) == .index(index))
    }

    @Test func `an index with layers or a config is refused`() {
        for field in ["layers", "config"] {
            let bytes = Documents.bytes(["schemaVersion": 2, "manifests": []]) { $0[field] = Documents.manifest[field] }
            #expect(throws: DocumentError.self) { try Index(bytes) }
        }
    }

    @Test func `the nearest platform is chosen, the first of equals`() {
        let entries = [
            entry("1", "windows/amd64"), entry("2", "linux/arm/v5"), entry("3", "linux/arm/v6"),
            entry("4", "linux/aarch64"), entry("5", "linux/x86_64"), entry("6", "linux/amd64"),
            entry("7", "unknown/unknown"), entry("8", "linux/amd64/v3"),
        ]
        #expect(choice("linux/amd64", entries) == Documents.digest("5"))
        #expect(choice("linux/arm64/v8", entries) == Documents.digest("4"))
        #expect(choice("linux/arm/v7", entries) == Documents.digest("3"))
        #expect(choice("linux/arm/v5", entries) == Documents.digest("2"))
        #expect(choice("linux/riscv64", entries) == nil)
        #expect(choice("linux/amd64", [entry("8", "linux/amd64/v3")]) == nil)
    }

    @Test func `a single manifest without a platform fits any, one of two does not`() {
        #expect(choice("linux/amd64", [entry("1", nil)]) == Documents.digest("1"))
        #expect(choice("linux/amd64", [entry("1", nil), entry("2", nil)]) == nil)
    }

    @Test func `more manifests than the limit are refused`() {
        let index = Index(manifests: Array(repeating: entry("1", nil), count: DocumentLimits.manifests + 1))
        #expect(throws: DocumentError.self) { try Index(index.bytes) }
    }
}
