import Glibc
import Images
import Linux
import TestKit
import Testing

@Suite struct TarReaderTests {
    private static func sample() -> [UInt8] {
        var chance = SeededChance(seed: 7)
        return TestArchive { archive in
            for number in 0..<40 {
                let text = String(repeating: "\(chance.next()) ", count: Int.random(in: 0..<2000, using: &chance))
                archive.file("directory/file-\(number)", text)
            }
            archive.link("link", to: "directory/file-1")
        }.ended
    }

    private static func readAll(_ reader: TarReader) throws -> (names: [String], totals: ArchiveTotals) {
        var names: [String] = []
        while let entry = try reader.next() {
            names.append(entry.name.path)
            if entry.kind == .file {
                var count = 0
                try reader.data { (bytes, _) throws(ArchiveFailure) in count += bytes.count }
                #expect(count == entry.size)
            }
        }
        return (names, try reader.finish())
    }

    @Test(arguments: ["cat", "gzip", "zstd"], [false, true])
    func `both digests are those of sha256sum`(tool: String, readAhead: Bool) async throws {
        // What follows the end of the archive belongs to the layer, too.
        let archive = Self.sample() + [UInt8](repeating: 0, count: 700_000)
        let packed = try await CommandRunner.run([tool] + (tool == "cat" ? [] : ["-c"]), input: archive).output
        let (names, totals) = try Self.readAll(TarReader(MemorySource(packed), readAhead: readAhead))
        #expect(names.count == 41)
        #expect(totals.compression == (tool == "cat" ? .none : tool == "gzip" ? .gzip : .zstd))
        #expect(totals.bytes == archive.count)
        #expect(totals.compressedBytes == packed.count)
        for (bytes, digest) in [(archive, totals.diff), (packed, totals.blob)] {
            let sum = try await CommandRunner.run(["sha256sum"], input: bytes).text.prefix(64)
            let hex = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(hex == sum)
        }
    }

    @Test func `gzip in several members and zstd in several frames are one archive`() async throws {
        let archive = Self.sample()
        for tool in ["gzip", "zstd"] {
            var packed: [UInt8] = []
            for part in [archive[..<1000], archive[1000..<60_000], archive[60_000...]] {
                packed += try await CommandRunner.run([tool, "-c"], input: Array(part)).output
            }
            let (names, totals) = try Self.readAll(TarReader(MemorySource(packed)))
            #expect(names.count == 41)
            #expect(totals.bytes == archive.count)
        }
    }

    @Test func `other compressions are named and refused where they are not asked for`() async throws {
        for tool in ["xz", "bzip2"] {
            let packed = try await CommandRunner.run([tool, "-c"], input: Self.sample()).output
            let error = #expect(throws: ArchiveFailure.self) { try Self.readAll(TarReader(MemorySource(packed))) }
            #expect(error?.description.contains(tool) == true)
            var limits = ArchiveLimits.standard
            limits.compressions = Set(Compression.allCases)
            let twice = try await CommandRunner.run([tool, "-c"], input: []).output
            for bytes in [packed, packed + twice] {
                let (names, totals) = try Self.readAll(TarReader(MemorySource(bytes), limits: limits))
                #expect(names.count == 41)
                #expect(totals.bytes == Self.sample().count)
            }
            for cut in [packed.count - 1, packed.count / 2, 20] {
                #expect(throws: ArchiveFailure.self) {
                    try Self.readAll(TarReader(MemorySource(Array(packed[..<cut])), limits: limits))
                }
            }
        }
    }

    @Test(arguments: ["cat", "gzip", "zstd"])
    func `damaged archives are errors, wherever they are cut or changed`(tool: String) async throws {
        let archive = Self.sample()
        let packed = try await CommandRunner.run([tool] + (tool == "cat" ? [] : ["-c"]), input: archive).output
        let digest = try Self.readAll(TarReader(MemorySource(packed))).totals.blob
        var chance = SeededChance(seed: 11)
        for _ in 0..<60 {
            let cut = Int.random(in: 1..<(packed.count - 1024), using: &chance)
            // A tar archive that ends between two entries is whole (GNU tar warns); its digest tells.
            if tool != "cat" {
                let error = #expect(throws: ArchiveFailure.self, "cut at \(cut), \(chance)") {
                    try Self.readAll(TarReader(MemorySource(Array(packed[..<cut]))))
                }
                #expect(error?.reason == .damaged)
            }
            var changed = packed
            changed[cut] ^= UInt8.random(in: 1...255, using: &chance)
            // It is read, with another digest, or it is an error; it is never the same archive.
            let whole = try? Self.readAll(TarReader(MemorySource(changed)))
            #expect(whole?.totals.blob != digest)
        }
        #expect(throws: ArchiveFailure.self) {
            try Self.readAll(TarReader(MemorySource(Array(archive[..<(archive.count - 2000)]))))
        }
    }

    @Test func `what is no archive is an error`() throws {
        for bytes in [Array("not an archive".utf8), [UInt8](repeating: 0x41, count: 10_000)] {
            let error = #expect(throws: ArchiveFailure.self) { try Self.readAll(TarReader(MemorySource(bytes))) }
            #expect(error?.reason == .damaged)
        }
        // The empty layer that builders make.
        let (names, totals) = try Self.readAll(TarReader(MemorySource(TarRecord.end)))
        #expect(names.isEmpty)
        #expect(totals.bytes == 1024)
    }

    @Test func `a reader that gives up leaves no thread and no descriptor behind`() async throws {
        let before = await Census.take(Census.Scope(only: [.descriptor]))
        for _ in 0..<20 {
            let fd = try Files.memory(named: "archive")
            try Files.writeAll(Self.sample(), to: fd.raw)
            let rewound = try Files.open("/proc/self/fd/\(fd.raw)", O_RDONLY)
            let reader = try TarReader(DescriptorSource(SharedFD(rewound)), readAhead: true)
            #expect(try reader.next() != nil)
        }
        // The thread holds the source: when its descriptor is closed, the thread has ended.
        #expect(await Census.settled(since: before) == [])
    }
}
