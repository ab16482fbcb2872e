import Linux
import TestKit
import Testing

@testable import ExecDoor

/// What both sides of a call leave of declared files.
@Suite struct OutputFilesTests {
    private let directory: TemporaryDirectory
    private let place: String
    private let layer: String

    init() throws {
        directory = try TemporaryDirectory("outputs")
        place = directory.path("work")
        layer = directory.path("layer")
        try Files.makeDirectories(place)
        try Files.makeDirectories(layer + place)
    }

    private func write(_ text: String, to path: String) throws { try Files.replace(path, with: Array(text.utf8)) }

    private func files(_ names: [String] = ["out.csv"], keeping: Int = 100) -> OutputFiles {
        OutputFiles(names, directory: place, keptBytes: keeping)
    }

    private func pairs(_ files: OutputFiles) throws -> (original: [String: CapturedStream?], target: [String: CapturedStream?]) {
        LeftFile.pairs(files.left(), files.left(in: try Files.open(layer, 0o200000)))
    }

    private func text(_ stream: CapturedStream??) -> String? {
        stream.flatMap { $0 }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    private func differences(_ files: OutputFiles) throws -> Int {
        let (original, target) = try pairs(files)
        func run(_ files: [String: CapturedStream?]) -> ObservedRun {
            ObservedRun(status: .exited(0), output: CapturedStream(), errors: CapturedStream(), files: files)
        }
        return CallComparison([]).compare(run(original), run(target)).count
    }

    @Test func `a file that nobody wrote is not compared`() throws {
        try write("old", to: place + "/out.csv")
        let files = files(["out.csv", "other"])
        #expect(try pairs(files).original.isEmpty)
        #expect(try differences(files) == 0)
    }

    @Test func `a file that both wrote is compared by its contents`() throws {
        let files = files()
        try write("a\nb\n", to: place + "/out.csv")
        try write("a\nb\n", to: layer + place + "/out.csv")
        #expect(try differences(files) == 0)
        try write("a\nc\n", to: layer + place + "/out.csv")
        #expect(try differences(files) == 1)
        #expect(text(try pairs(files).target["out.csv"]) == "a\nc\n")
    }

    @Test func `a file that one side alone wrote is a difference`() throws {
        try write("old", to: place + "/one")
        try write("old", to: place + "/other")
        let files = files(["one", "other", "new"])
        try write("longer than before", to: place + "/one")
        try write("written by the target", to: layer + place + "/other")
        try write("new", to: layer + place + "/new")
        let (original, target) = try pairs(files)
        #expect(text(original["one"]) == "longer than before")
        #expect(text(target["one"]) == nil)
        #expect(text(original["other"]) == "old")
        #expect(text(original["new"]) == nil)
        #expect(try differences(files) == 3)
    }

    @Test func `what was written the same again is no difference`() throws {
        try write("same", to: place + "/out.csv")
        let files = files()
        // The original's file looks untouched, as where times are coarse.
        try write("same", to: layer + place + "/out.csv")
        #expect(try differences(files) == 0)
    }

    @Test func `of a long file the beginning and the length are compared`() throws {
        let files = files(keeping: 4)
        try write("0123456789", to: place + "/out.csv")
        try write("0123", to: layer + place + "/out.csv")
        #expect(try pairs(files).original["out.csv"]??.total == 10)
        #expect(text(try pairs(files).original["out.csv"]) == "0123")
        #expect(try differences(files) > 0)
    }

    @Test func `a link that a target leaves leads nowhere`() throws {
        let files = files(["out.csv", "inner/out"])
        try write("secret", to: directory.path("secret"))
        let target = try Files.open(layer + place, 0o200000)
        try FileEntries.makeLink(to: directory.path("secret"), named: "out.csv", at: target.raw)
        try FileEntries.makeLink(to: directory.path, named: "inner", at: target.raw)
        try write("also secret", to: directory.path("out"))
        let found = try pairs(files).target
        #expect(found.values.allSatisfy { $0 == nil })
    }

    @Test func `a pipe in a file's place is not waited for`() throws {
        let files = files()
        let target = try Files.open(layer + place, 0o200000)
        try FileEntries.makePipe("out.csv", at: target.raw)
        try write("a\n", to: place + "/out.csv")
        #expect(try pairs(files).target["out.csv"]??.isObserved == false)
    }

    @Test func `links of the machine's own are followed`() throws {
        let real = directory.path("real")
        try Files.makeDirectories(real)
        let work = try Files.open(place, 0o200000)
        try FileEntries.makeLink(to: real, named: "results", at: work.raw)
        let files = files(["results/out.csv"])
        try write("a\n", to: real + "/out.csv")
        try Files.makeDirectories(layer + real)
        try write("b\n", to: layer + real + "/out.csv")
        #expect(try differences(files) == 1)
        #expect(files.directories == [real])
    }
}
