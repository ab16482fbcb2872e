import Glibc
import Images
import JSON
import Linux
import OCI
import TestKit
import Testing

/// Archives that Debian's Docker, Podman and Skopeo read and write.
@Suite(.serialized, .enabled(if: isRoot)) struct InterchangeTests {
    /// Two layers, the second with what archives can say of files.
    private func image(_ test: LayeredStore) throws -> StoredImage {
        try test.image(
            [
                .init {
                    $0.directory("etc")
                    $0.file("etc/gone", "gone")
                    $0.file("etc/kept", "kept")
                },
                .init {
                    $0.file("etc/.wh.gone", "")
                    $0.file("etc/program", "text", mode: 0o4755)
                    $0.hardLink("etc/same", to: "etc/program")
                    $0.link("etc/link", to: "kept")
                },
            ], "forkless.example/team/app:1")
    }

    private func load(_ path: String) async throws -> (LayeredStore, [LoadedImage]) {
        let test = try LayeredStore()
        return (test, try await test.load(path))
    }

    @Test func `Docker loads what is saved here, and what Docker saves is the same image here`() async throws {
        let from = try LayeredStore()
        let image = try image(from)
        try await DebianDocker.running { docker in
            for format in [ArchiveFormat.both, .docker] {
                let archive = try await from.saved([SavedImage(image, names: image.names)], format)
                let said = try await docker("load", "-i", archive)
                #expect(said.contains("Loaded image: forkless.example/team/app:1"))
                let id = try await docker("inspect", "--format", "{{.Id}}", "forkless.example/team/app:1")
                #expect(id == "\(image.id)\n")
                let back = from.files.path("docker-\(format.rawValue).tar")
                try await docker("save", "-o", back, "forkless.example/team/app:1")
                let (test, loaded) = try await load(back)
                #expect(loaded.map(\.image.id) == [image.id])
                #expect(loaded.flatMap(\.names) == image.names)
                #expect(try await test.store.unpacked(loaded[0].image).layers.count == 2)
                try await docker("rmi", "forkless.example/team/app:1")
            }
        }
    }

    @Test func `Podman loads what is saved here with its digest, and its archives are read here`() async throws {
        let from = try LayeredStore()
        let image = try image(from)
        let archive = try await from.saved([SavedImage(image, names: image.names)])
        let podman = try DebianPodman()
        try await podman("load", "-i", archive)
        let name = "forkless.example/team/app:1"
        let seen = try await podman("inspect", "--format", "{{.Id}}", name)
        #expect(seen == "\(image.id.hex)\n")
        for format in ["oci-archive", "docker-archive"] {
            let back = from.files.path("podman-\(format).tar")
            try await podman("save", "--format", format, "-o", back, name)
            let (_, loaded) = try await load(back)
            #expect(loaded.map(\.image.id) == [image.id])
            #expect(loaded.flatMap(\.names) == image.names)
        }
    }

    @Test func `Skopeo copies what is saved here with its digests, and back`() async throws {
        let from = try LayeredStore()
        let image = try image(from)
        let archive = try await from.saved([SavedImage(image, names: image.names)], .oci)
        let layout = from.files.path("layout")
        let back = from.files.path("skopeo.tar")
        try Files.write(Array(#"{"default":[{"type":"insecureAcceptAnything"}]}"#.utf8), at: from.files.path("policy.json"))
        let skopeo = ["skopeo", "--policy", from.files.path("policy.json"), "--tmpdir", from.files.path]
        for (source, target) in [
            ("oci-archive:\(archive)", "oci:\(layout):x"), ("oci:\(layout):x", "oci-archive:\(back):forkless.example/team/app:1"),
        ] {
            let copied = try await CommandRunner.run(skopeo + ["copy", source, target])
            try #require(copied.status.isSuccess, "\(copied.errorText)")
        }
        let (_, loaded) = try await load(back)
        #expect(loaded.map(\.image.id) == [image.id])
        // It compresses layers that come without compression into a layout; ours go out as they are in the store.
        let raw = try await CommandRunner.run(skopeo + ["inspect", "--raw", "oci-archive:\(archive)"]).output
        #expect(Digest(of: raw) == image.manifest)
    }
}

extension Files {
    fileprivate static func write(_ bytes: [UInt8], at path: String) throws { try replace(path, with: bytes, mode: 0o644) }
}
