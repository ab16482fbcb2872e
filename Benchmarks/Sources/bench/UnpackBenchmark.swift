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
        let image = try ManyFilesImage(
            at: "\(servers.directory)/image.tar", bytes: options.count(500, quick: 100) * 1_000_000)
        // Read once, so that nobody's first round reads it from the disk.
        _ = try Command.output(["cat", image.path])
        let load = servers.forkless("load", "-q", "-i", image.path)
        let unload = servers.forkless("rmi", "-f", ManyFilesImage.name)
        let dockerLoad = servers.docker("load", "-q", "-i", image.path)
        let dockerUnload = servers.docker("rmi", "-f", ManyFilesImage.name)
        let plain = "\(servers.directory)/plain"
        let contenders = [
            Contender(name: "forkless load", count: 1) { try Self.times($0, load, after: unload) },
            Contender(name: "docker load", count: 1) { try Self.times($0, dockerLoad, after: dockerUnload) },
            Contender(name: "tar -x of its layers, for scale", count: 1) { count in
                try Self.times(
                    count, ["/bin/sh", "-c", Self.plainUnpacking, "sh", image.path, plain], after: ["rm", "-rf", plain])
            },
        ]
        let samples = try await takeTurns(contenders, rounds: options.count(5, quick: 2))
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

    /// How long a command takes, each time after what was there is gone and on the disk.
    private static func times(_ count: Int, _ command: [String], after clearing: [String]) throws -> [Int] {
        try (0..<count).map { _ in
            _ = try? Command.output(clearing)
            sync()
            let begin = now()
            _ = try Command.output(command)
            return now() - begin
        }
    }
}
