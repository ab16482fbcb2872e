import Images
import Linux
import OCI
import TestKit
import Testing

@testable import Packing

@Suite struct PackedImageTests {
    private func pack(_ program: String, _ directory: String) throws -> PackedImage {
        try Files.makeDirectories(directory)
        let tree = MachineTree()
        let database = try DebianDatabase(tree)
        let needs = try NeedsReader(tree, database).needs(of: PackRequest(program: program))
        return try PackedImage.make(
            PackPlan(needs, database, tree), PackedProgram(program: program, image: "x").defaults,
            platform: .ofThisMachine, name: nil,
            directory: directory)
    }

    @Test func `the same program gives the same digest`() throws {
        let place = try TemporaryDirectory("packed")
        let one = try pack("/bin/ls", place.path("one"))
        let two = try pack("/bin/ls", place.path("two"))
        #expect(one.id == two.id)
        #expect(one.manifest.bytes == two.manifest.bytes)
    }

    @Test func `no file is in two layers`() throws {
        let tree = MachineTree()
        let database = try DebianDatabase(tree)
        let plan = try PackPlan(NeedsReader(tree, database).needs(of: PackRequest(program: "/bin/ls")), database, tree)
        let files = plan.layers.flatMap { $0.paths + $0.links.keys }
        #expect(files.count == Set(files).count)
        #expect(plan.packages.map(\.name).contains("libc6"))
        #expect(plan.exactFiles == [])
    }

    @Test func `programs that were packed apart share their packages' layers`() throws {
        let place = try TemporaryDirectory("packed")
        let one = Set(try pack("/bin/ls", place.path("one")).layers.map(\.descriptor.digest))
        let two = Set(try pack("/bin/cat", place.path("two")).layers.map(\.descriptor.digest))
        #expect(one == two)
        let other = Set(try pack("/bin/sed", place.path("three")).layers.map(\.descriptor.digest))
        #expect(one.intersection(other).count >= 3)
    }

    @Test func `GNU tar reads every layer and the archive`() async throws {
        let place = try TemporaryDirectory("packed")
        let image = try pack("/bin/ls", place.path("layers"))
        for layer in image.layers {
            let listed = try await CommandRunner.run(["tar", "-tzf", layer.file])
            #expect(listed.status.isSuccess, "\(listed.errorText)")
        }
        let archive = SharedFD(try Files.open(place.path("image.tar"), 0o102, mode: 0o600))
        try LayoutArchive(image).write(to: archive)
        let listed = try await CommandRunner.run(["tar", "-tf", place.path("image.tar")])
        #expect(
            listed.text.contains("oci-layout\n") && listed.text.contains("index.json\n")
                && listed.text.contains("manifest.json\n"))
    }

    @Test func `directories have no times, files their own, and nothing is setuid`() async throws {
        let place = try TemporaryDirectory("packed")
        let image = try pack("/bin/ls", place.path("layers"))
        let layer = try #require(image.layers.first { $0.planned.title.hasPrefix("coreutils") })
        let listed = try await CommandRunner.run(["tar", "--utc", "-tvzf", layer.file])
        for line in listed.text.split(separator: "\n") {
            #expect(!line.prefix(10).contains("s"))
            #expect(line.hasPrefix("d") == line.contains("1970-01-01") || line.hasPrefix("l"))
        }
    }
}
