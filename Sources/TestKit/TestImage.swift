package import Images
internal import JSON
internal import Linux
package import OCI

/// The image that tests run: Debian's static busybox under all its names, as one layer, made here and now.
///
///     let image = try TestImage.busybox(in: store, as: "app:1") { $0.cmd = ["sleep", "1000"] }
///     try TestImage.archive(at: directory.path("app.tar"), as: "app:1")
package enum TestImage {
    /// What went wrong while an image was made.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Puts the image into a store. `change` makes its config's proposals, which are `sh` and a PATH before.
    @discardableResult
    package static func busybox(
        in store: ImageStore, as name: String = "busybox", _ change: (inout ImageDefaults) -> Void = { _ in }
    ) throws -> StoredImage {
        let lease = store.lease(for: "making \(name)")
        defer { lease.end() }
        let layer = try layer.get()
        let config = config(layer, change)
        let manifest = Manifest(
            config: Descriptor(
                mediaType: MediaType.config, digest: try store.put(config, lease: lease), size: config.count),
            layers: [
                Descriptor(mediaType: MediaType.layer, digest: try store.put(layer, lease: lease), size: layer.count)
            ])
        return try store.add(manifest, names: [try Reference(name)], now: Clock.now(), lease: lease)
    }

    /// Writes the image as a file that `docker load` and `forkless load` take.
    package static func archive(
        at path: String, as name: String = "busybox", _ change: (inout ImageDefaults) -> Void = { _ in }
    ) throws {
        let layer = try layer.get()
        let config = config(layer, change)
        let configName = Digest(of: config).hex + ".json"
        let layerName = Digest(of: layer).hex + "/layer.tar"
        let list: JSONValue = [
            [
                "Config": .string(configName), "RepoTags": [.string(try Reference(name).tagged.description)],
                "Layers": [.string(layerName)],
            ]
        ]
        var archive: [UInt8] = []
        add(TarRecord(name: configName), config, to: &archive)
        add(TarRecord(name: layerName), layer, to: &archive)
        add(TarRecord(name: "manifest.json"), JSONWriter.bytes(list), to: &archive)
        try Files.replace(path, with: archive + TarRecord.end, mode: 0o644)
    }

    private static func config(_ layer: [UInt8], _ change: (inout ImageDefaults) -> Void) -> [UInt8] {
        var config = ImageConfig(platform: .ofThisMachine)
        config.created = "2026-01-01T00:00:00Z"
        config.defaults.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        config.defaults.cmd = ["sh"]
        change(&config.defaults)
        config.diffIDs = [Digest(of: layer)]
        config.history = [HistoryEntry(created: config.created, createdBy: "busybox-static of the tests")]
        return config.encoded()
    }

    /// The layer's tar: the same for the same busybox.
    private static let layer = Result { try makeLayer() }

    private static func makeLayer() throws -> [UInt8] {
        guard let busybox = CommandRunner.find("busybox") else {
            throw Failure(description: "there is no busybox; install Debian's busybox-static")
        }
        let program = try Files.read(busybox)
        var archive: [UInt8] = []
        for name in ["bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "usr/bin", "usr/sbin", "sbin", "var"] {
            add(record(name, .directory, 0o755), to: &archive)
        }
        add(record("tmp", .directory, 0o1777), to: &archive)
        add(record("bin/busybox", .file, 0o755), program, to: &archive)
        let names = try CommandRunner.runBlocking([busybox, "--list"]).text.split(separator: "\n").map(String.init)
        guard names.contains("sh") else { throw Failure(description: "\(busybox) --list says \(names)") }
        for name in names where name != "busybox" {
            add(record("bin/" + name, .symbolicLink(target: "/bin/busybox"), 0o777), to: &archive)
        }
        add(record("etc/passwd", .file, 0o644), Array(passwd.utf8), to: &archive)
        add(record("etc/group", .file, 0o644), Array(group.utf8), to: &archive)
        return archive + TarRecord.end
    }

    private static let passwd = """
        root:x:0:0:root:/root:/bin/sh
        nobody:x:65534:65534:nobody:/home:/bin/false
        app:x:1000:1000:an ordinary user:/home:/bin/sh

        """
    private static let group = """
        root:x:0:
        nogroup:x:65534:
        app:x:1000:
        extra:x:2000:app

        """

    private static func record(_ name: String, _ kind: TarRecord.Kind, _ mode: UInt32) -> TarRecord {
        var record = TarRecord(name: name, kind: kind)
        record.mode = mode
        return record
    }

    private static func add(_ record: TarRecord, _ content: [UInt8] = [], to archive: inout [UInt8]) {
        var record = record
        if record.kind == .file { record.size = content.count }
        archive += record.header + content + record.padding
    }
}
