import Daemon
import Images
import Linux
import OCI
import Synchronization
import TestKit
import Testing

@testable import Engine

/// Volumes through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeVolumeTests {
    private func withNode(
        _ change: (inout ImageDefaults) -> Void = { _ in }, _ body: (TestNode, NodeClient) async throws -> Void
    ) async throws {
        let test = try TestNode()
        let node = try await test.start()
        do {
            try TestImage.busybox(in: node.images, as: "app", change)
            try await body(test, try await test.connect())
        } catch {
            await node.stop()
            try await test.endKeeper()
            throw error
        }
        await node.stop()
        try await test.endKeeper()
    }

    private func spec(
        _ script: String, _ mounts: [ContainerMount] = [], _ change: (inout ContainerSpec) -> Void = { _ in }
    ) -> ContainerSpec {
        var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
        spec.image = ContainerImage("app")
        spec.network = .isolated
        spec.removesOnExit = true
        spec.mounts = mounts
        change(&spec)
        return spec
    }

    private func run(_ client: NodeClient, _ spec: ContainerSpec) async throws -> (output: String, status: Int32?) {
        let streams = try TestStreams()
        streams.endInput()
        async let answer = client.stream(
            RunContainer(spec, attachment: .passed, waits: true), descriptors: streams.descriptors
        ) { _, _ in streams.handedOver() }
        let end = try await answer.end
        streams.handedOver()
        return (try await streams.allOutput(), end?.exitStatus)
    }

    private func names(_ client: NodeClient, _ filters: String...) async throws -> [String] {
        try await client.call(ListVolumes(filters: filters)).volumes.map(\.name)
    }

    private func volume(_ name: String?, _ target: String, readOnly: Bool = false) -> ContainerMount {
        .volume(name: name, target: target, isReadOnly: readOnly)
    }

    @Test func `a named volume is made when it is first used, and keeps its files for the next container`() async throws {
        try await withNode { test, client in
            #expect(try await run(client, spec("echo kept > /data/file", [volume("data", "/data")])).status == 0)
            #expect(try await run(client, spec("cat /here/file", [volume("data", "/here")])).output == "kept\n")
            let found = try await client.call(InspectVolume(name: "data"))
            #expect(found.mountpoint == test.settings.state + "/volumes/data/_data")
            #expect(!found.isAnonymous)
            #expect(try Files.readText(found.mountpoint + "/file") == "kept")
            #expect(try await names(client) == ["data"])
        }
    }

    @Test func `a read-only volume cannot be written`() async throws {
        try await withNode { _, client in
            let script = "echo x > /data/file || echo refused"
            let result = try await run(client, spec(script, [volume("data", "/data", readOnly: true)]))
            #expect(result.output == "refused\n")
        }
    }

    @Test func `volumes without a name go with --rm and rm -v, and stay with rm`() async throws {
        try await withNode({ $0.volumes = ["/state"] }) { _, client in
            #expect(try await run(client, spec("echo x > /state/file")).status == 0)
            #expect(try await names(client) == [])
            for removes in [true, false] {
                let kept = spec("echo x > /state/file") {
                    $0.removesOnExit = false
                    $0.name = "kept"
                }
                _ = try await run(client, kept)
                #expect(try await names(client).count == 1)
                _ = try await client.call(RemoveContainer(container: "kept", volumes: removes))
                #expect(try await names(client).count == (removes ? 0 : 1))
            }
            let pruned = try await client.call(PruneVolumes())
            #expect(pruned.names.count == 1 && pruned.reclaimedBytes > 0)
        }
    }

    @Test func `a volume in use is not removed`() async throws {
        try await withNode { _, client in
            let user = spec("true", [volume("data", "/data")]) {
                $0.removesOnExit = false
                $0.name = "user"
            }
            _ = try await run(client, user)
            let failure = await #expect(throws: NodeFailure.self) { try await client.call(RemoveVolume(name: "data")) }
            #expect(failure?.kind == .conflict)
            #expect(failure?.message.contains("volume is in use") == true)
            #expect(try await client.call(PruneVolumes(all: true)).names == [])
            #expect(try await names(client, "dangling=false") == ["data"])
            // Not even by -v: it has a name.
            _ = try await client.call(RemoveContainer(container: "user", volumes: true))
            #expect(try await names(client, "dangling=true") == ["data"])
            _ = try await client.call(RemoveVolume(name: "data"))
            let missing = await #expect(throws: NodeFailure.self) { try await client.call(RemoveVolume(name: "data")) }
            #expect(missing?.kind == .notFound)
        }
    }

    @Test func `an empty volume gets what the image has there, once`() async throws {
        try await withNode { _, client in
            let first = try await run(client, spec("ls /bin | head -n 1; rm /bin/true; echo mine > /bin/mine", [volume("tools", "/bin")]))
            #expect(first.output.isEmpty == false && first.status == 0)
            let second = try await run(client, spec("cat /bin/mine; ls /bin/true || echo gone", [volume("tools", "/bin")]))
            #expect(second.output == "mine\ngone\n")
            // Owner and rights of the directory itself come along.
            let tmp = try await run(client, spec("stat -c %a /tmp", [volume("tmp", "/tmp")]))
            let image = try await run(client, spec("stat -c %a /tmp"))
            #expect(tmp.output == image.output)
        }
    }

    @Test func `CVE-2022-23648: a volume over a link of the image copies nothing of the machine`() async throws {
        let secret = try TemporaryDirectory("secret")
        try Files.replace(secret.path("secret"), with: Array("secret".utf8))
        let layer = try TemporaryDirectory("layer")
        let place = try Files.open(layer.path, 0)
        try FileEntries.makeLink(to: secret.path, named: "absolute", at: place.raw)
        try FileEntries.makeLink(to: "../../../../../.." + secret.path, named: "relative", at: place.raw)
        try FileEntries.makeLink(to: "/proc/self/root" + secret.path, named: "magic", at: place.raw)
        try Files.makeDirectory(layer.path("plain"))
        try Files.replace(layer.path("plain/file"), with: [1])
        let directory = try TemporaryDirectory("volumes")
        let store = VolumeStore(directory: directory.path)
        _ = try store.open()
        let now = Timestamp(nanoseconds: 5)
        for (target, expected) in [
            ("/absolute", [String]()), ("/relative", []), ("/magic", []), ("/absolute/..", []), ("/nothing", []),
            ("/plain", ["file"]), ("/plain/file", []),
        ] {
            let name = "v\(target.utf8.count)-\(target.split(separator: "/")[0])"
            _ = try store.make(name, labels: [:], isAnonymous: false, isClaimed: false, now: now)
            // A link that leads nowhere inside is no directory of the image, or an error; either copies nothing.
            try? await VolumeFilling(store: store).fill(name, from: [layer.path], at: target)
            #expect(try Files.list(store.dataPath(name)) == expected, "\(target)")
        }
    }

    @Test func `what -v binds is made where it is missing, what --mount binds has to be there`() async throws {
        try await withNode { _, client in
            let directory = try TemporaryDirectory("bind")
            let missing = directory.path("a/b")
            var bound = spec("echo x > /in/file", [.bind(source: missing, target: "/in", isReadOnly: false)])
            #expect(await #expect(throws: NodeFailure.self) { try await run(client, bound) } != nil)
            #expect(!Files.exists(missing))
            bound.madeSources = [missing]
            #expect(try await run(client, bound).status == 0)
            #expect(try Files.readText(missing + "/file") == "x")
        }
    }

    @Test func `a container that could not be made leaves no volume without a name`() async throws {
        try await withNode { _, client in
            var wrong = spec("true", [volume(nil, "/data")])
            wrong.program = "no-such-program"
            await #expect(throws: NodeFailure.self) { try await run(client, wrong) }
            try await eventually("no volume is left") { try await names(client).isEmpty }
        }
    }

    @Test func `what a dead node had begun to make or to remove of volumes is cleared away`() throws {
        let directory = try TemporaryDirectory("volumes")
        let store = VolumeStore(directory: directory.path)
        #expect(try store.open() == [])
        for name in ["whole", "half"] {
            _ = try store.make(name, labels: ["a": "b"], isAnonymous: false, isClaimed: false, now: Timestamp(nanoseconds: 5))
            try Files.replace(store.dataPath(name) + "/file", with: [1])
        }
        try Files.replace(directory.path("half/filling"), with: [])
        try Files.makeDirectory(directory.path(".new-x"))
        try Files.makeDirectory(directory.path(".removed-y"))
        try Files.makeDirectory(directory.path("strange"))
        let next = VolumeStore(directory: directory.path)
        #expect(try next.open().count == 1)
        #expect(next.all.map(\.name) == ["half", "whole"])
        #expect(try next.find("whole") == store.find("whole"))
        #expect(try Files.list(next.dataPath("half")) == [])
        #expect(try Files.list(next.dataPath("whole")) == ["file"])
        #expect(Files.exists(directory.path("strange")))
        #expect(!Files.exists(directory.path(".new-x")) && !Files.exists(directory.path(".removed-y")))
    }

    @Test func `a volume that is about to be used is not removed`() throws {
        let directory = try TemporaryDirectory("volumes")
        let store = VolumeStore(directory: directory.path)
        _ = try store.open()
        let now = Timestamp(nanoseconds: 5)
        #expect(try store.make("v", labels: [:], isAnonymous: true, isClaimed: true, now: now).isNew)
        #expect(try !store.make("v", labels: [:], isAnonymous: true, isClaimed: true, now: now).isNew)
        store.unclaim("v")
        #expect(throws: NodeFailure.self) { try store.remove("v") { _ in [] } }
        store.unclaim("v")
        try store.remove("v") { _ in [] }
        #expect(store.all.isEmpty)
        #expect(throws: NodeFailure.self) { try store.make("../x", labels: [:], isAnonymous: false, isClaimed: true, now: now) }
    }
}
