import CBaselines
import Foundation

/// An image of many small files, loaded from the same archive: by a node and by Docker's daemon. Both keep it as they
/// need it to run containers of it.
struct UnpackBenchmark {
    private static let memoryTarget = 64.0
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        let servers = try ServersUnderTest(options)
        defer { servers.stop() }
        let path = "\(servers.directory)/image.tar"
        let load = servers.forkless("load", "-q", "-i", path)
        let dockerLoad = servers.docker("load", "-q", "-i", path)
        var samples = [Samples("forkless load"), Samples("docker load"), Samples("tar -x of its layers, for scale")]
        var image: ManyFilesImage?
        // Another image each time, and nothing is removed: ext4 hands out no inode that was freed in the last minutes
        // (RECENTCY in fs/ext4/ialloc.c) and spends most of a load on looking for others.
        for round in 0...options.count(4, quick: 2) {
            image = try ManyFilesImage(at: path, bytes: options.count(500, quick: 100) * 1_000_000, seed: UInt64(round))
            let unpack = ["/bin/sh", "-c", Self.plainUnpacking, "sh", path, "\(servers.directory)/plain\(round)"]
            let commands = [load, dockerLoad, unpack]
            for turn in commands.indices {
                let index = (turn + round) % commands.count
                let time = try Self.time(commands[index])
                // The first round warms up.
                if round > 0 { samples[index].add([time]) }
            }
        }
        guard let image else { throw BenchmarkError("there was no round") }
        let peak = Double(try servers.node.memory("VmHWM")) / 1e6
        return Section(
            title: "An image of \(image.files) files, \(image.bytes / 1_000_000) MB in 5 layers, loaded from a docker-archive",
            samples: samples,
            facts: [
                ("docker", try Command.output(servers.docker("version", "--format", "{{.Server.Version}}"))
                    .trimmingCharacters(in: .whitespacesAndNewlines)),
                ("its storage driver", try Command.output(servers.docker("info", "--format", "{{.Driver}}"))
                    .trimmingCharacters(in: .whitespacesAndNewlines)),
            ],
            findings: [
                .slowness("forkless load over docker load", samples[0], over: samples[1], atMost: 1),
                Finding(
                    what: "peak memory of the node that unpacks, its program included", value: peak, unit: "MB",
                    bound: .atMost, target: Self.memoryTarget),
            ])
    }

    private static let plainUnpacking =
        "mkdir -p \"$2\" && for n in 0 1 2 3 4; do tar -xOf \"$1\" $n/layer.tar | tar -x -C \"$2\"; done"

    /// How long a command takes when nothing of before waits for the disk any more.
    private static func time(_ command: [String]) throws -> Int {
        sync()
        let begin = now()
        _ = try Command.output(command)
        return now() - begin
    }
}
