import Foundation

/// A docker-archive of an image of many small files, in several layers: the same bytes for the same size and seed.
///
/// The sizes are those of an installed package tree: most files have a few kilobytes, some a hundred times as many.
struct ManyFilesImage {
    static let name = "many:1"
    private static let layers = 5
    private static let filesInDirectory = 40

    let path: String
    private(set) var files = 0
    private(set) var bytes = 0

    private var chance: SplitMix

    /// - Parameter bytes: of all files together.
    init(at path: String, bytes wanted: Int, seed: UInt64) throws {
        self.path = path
        chance = SplitMix(state: seed << 32)
        let parts = path + ".parts"
        try FileManager.default.createDirectory(atPath: parts, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: parts) }
        var layers: [String] = []
        for number in 0..<Self.layers {
            let file = "\(parts)/\(number).tar"
            try writeLayer(number, to: file, bytes: wanted / Self.layers)
            layers.append(file)
        }
        try writeArchive(of: layers)
    }

    private mutating func writeLayer(_ number: Int, to path: String, bytes wanted: Int) throws {
        let tar = try TarFile(path)
        var (made, directory) = (0, 0)
        tar.addDirectory("layer\(number)/")
        while made < wanted {
            let place = "layer\(number)/package\(directory)/"
            directory += 1
            tar.addDirectory(place)
            for file in 0..<Self.filesInDirectory where made < wanted {
                // Three of four below 8 KiB, and a tail up to 128 KiB.
                let size = Int(chance.next() % (chance.next() % 4 == 0 ? 32 << 10 : 8 << 10)) << (chance.next() % 64 == 0 ? 2 : 0)
                tar.add("\(place)file\(file)", content(size))
                made += size
                files += 1
            }
        }
        bytes += made
        try tar.finish()
    }

    private mutating func content(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            var at = 0
            while at < count {
                // Half of it compresses, as programs and texts do.
                var word = chance.next() & 0x0F0F_0F0F_0F0F_0F0F
                for _ in 0..<min(8, count - at) {
                    room[at] = UInt8(truncatingIfNeeded: word)
                    word >>= 8
                    at += 1
                }
            }
            filled = count
        }
    }

    private func writeArchive(of layers: [String]) throws {
        let sums = try Command.output(["sha256sum"] + layers).split(separator: "\n").map { $0.prefix(64) }
        let config = """
            {"architecture":"\(Self.architecture)","os":"linux","created":"2026-01-01T00:00:00Z","config":{"Cmd":["/none"]},\
            "rootfs":{"type":"layers","diff_ids":[\(sums.map { "\"sha256:\($0)\"" }.joined(separator: ","))]}}
            """
        let manifest = """
            [{"Config":"config.json","RepoTags":["\(Self.name)"],\
            "Layers":[\(layers.indices.map { "\"\($0)/layer.tar\"" }.joined(separator: ","))]}]
            """
        let tar = try TarFile(path)
        tar.add("manifest.json", Array(manifest.utf8))
        tar.add("config.json", Array(config.utf8))
        for (index, layer) in layers.enumerated() { try tar.add("\(index)/layer.tar", contentsOf: layer) }
        try tar.finish()
    }

    #if arch(arm64)
        static let architecture = "arm64"
    #else
        static let architecture = "amd64"
    #endif
}

/// Numbers that look like chance and are the same in every run (splitmix64).
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// A tar file being written, in the form of POSIX (ustar).
final class TarFile {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String

    init(_ path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchmarkError("write \(path)") }
        self.file = file
        self.path = path
    }

    func addDirectory(_ name: String) { put(header(name, size: 0, mode: 0o755, type: "5")) }

    func add(_ name: String, _ bytes: [UInt8], mode: Int = 0o644) {
        put(header(name, size: bytes.count, mode: mode, type: "0"))
        put(bytes)
        pad(bytes.count)
    }

    func add(_ name: String, contentsOf path: String, mode: Int = 0o644) throws {
        guard let source = fopen(path, "r") else { throw BenchmarkError("read \(path)") }
        defer { fclose(source) }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int
        put(header(name, size: size, mode: mode, type: "0"))
        var room = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&room, 1, room.count, source), count > 0 { put(Array(room[..<count])) }
        pad(size)
    }

    func finish() throws {
        put([UInt8](repeating: 0, count: 1024))
        guard ferror(file) == 0, fclose(file) == 0 else { throw BenchmarkError("write \(path): is the disk full?") }
    }

    private func put(_ bytes: [UInt8]) { fwrite(bytes, 1, bytes.count, file) }
    private func pad(_ size: Int) { put([UInt8](repeating: 0, count: (512 - size % 512) % 512)) }

    private func header(_ name: String, size: Int, mode: Int, type: Character) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func set(_ at: Int, _ text: String) { for (index, byte) in text.utf8.enumerated() { block[at + index] = byte } }
        func octal(_ at: Int, _ value: Int, _ width: Int) { set(at, String(format: "%0\(width - 1)lo", value)) }
        set(0, name)
        octal(100, mode, 8)
        octal(108, 0, 8)
        octal(116, 0, 8)
        octal(124, size, 12)
        octal(136, 1_700_000_000, 12)
        set(148, "        ")
        set(156, String(type))
        set(257, "ustar\u{0}00")
        octal(148, block.reduce(0) { $0 + Int($1) }, 7)
        return block
    }
}
