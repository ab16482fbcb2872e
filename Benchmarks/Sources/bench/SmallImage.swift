import Foundation

/// A docker-archive of an image with a few programs and nothing else.
struct SmallImage {
    static let name = "small:1"

    let path: String

    /// - Parameter programs: by default one that ends at once and one that waits.
    init(
        at path: String, _ options: BenchOptions, name: String = SmallImage.name, programs: [String] = ["noop", "waiting"]
    ) throws {
        self.path = path
        let layer = path + ".layer"
        defer { try? FileManager.default.removeItem(atPath: layer) }
        let tar = try TarFile(layer)
        for directory in ["dev/", "etc/", "proc/", "sys/", "tmp/"] { tar.addDirectory(directory) }
        for program in programs {
            try tar.add(program, contentsOf: "\(options.examples)/\(program)", mode: 0o755)
        }
        try tar.finish()
        let sum = try Command.output(["sha256sum", layer]).prefix(64)
        let config = """
            {"architecture":"\(ManyFilesImage.architecture)","os":"linux","created":"2026-01-01T00:00:00Z",\
            "config":{"Cmd":["/\(programs[0])"]},"rootfs":{"type":"layers","diff_ids":["sha256:\(sum)"]}}
            """
        let archive = try TarFile(path)
        archive.add(
            "manifest.json",
            Array("[{\"Config\":\"config.json\",\"RepoTags\":[\"\(name)\"],\"Layers\":[\"layer.tar\"]}]".utf8))
        archive.add("config.json", Array(config.utf8))
        try archive.add("layer.tar", contentsOf: layer)
        try archive.finish()
    }
}
