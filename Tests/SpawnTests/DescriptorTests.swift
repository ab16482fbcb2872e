import Glibc
import Linux
import Spawn
import TestKit
import Testing

@Suite struct DescriptorTests {
    /// What is open in a child: number and file, without the directory that the listing itself reads.
    private func open(in options: Options) async throws -> [Int: String] {
        // "lrwx------ 1 root root 64 Nov 23 07:37 0 -> /dev/null"
        let list = try Template("/bin/ls", arguments: ["-l", "/proc/self/fd"], options: options)
        var found: [Int: String] = [:]
        for line in try await list.run(input: .null, error: .null).text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 3, words[words.count - 2] == "->", let number = Int(words[words.count - 3]) else {
                continue
            }
            let target = String(words.last!)
            if !(target.hasPrefix("/proc/") && target.hasSuffix("/fd")) { found[number] = target }
        }
        return found
    }

    private func file(_ directory: TemporaryDirectory, _ name: String) throws -> SharedFD {
        SharedFD(try Files.open(try directory.write(name, to: name), 0))
    }

    @Test func `nothing else is inherited`() async throws {
        // Descriptors without close-on-exec, as careless libraries leave them.
        let null = try Files.open("/dev/null", 0)
        let careless = (0..<50).map { _ in dup(null.raw) } + [fcntl(null.raw, F_DUPFD, 900)]
        defer { careless.forEach { _ = close($0) } }
        #expect(careless.allSatisfy { fcntl($0, F_GETFD) == 0 })
        let bare = try await open(in: Options())
        #expect(Set(bare.keys) == [0, 1, 2], "\(bare)")

        let directory = try TemporaryDirectory("spawn")
        var options = Options()
        // A mapped source that is itself careless: it arrives under its new number only.
        let original = try file(directory, "mapped")
        let source = withExtendedLifetime(original) { SharedFD(OwnedFD(adopting: fcntl($0.raw, F_DUPFD, 40))) }
        options.descriptors = [7: source]
        let found = try await open(in: options)
        #expect(Set(found.keys) == [0, 1, 2, 7])
        #expect(found[7] == directory.path("mapped"))
    }

    @Test func `descriptors that swap numbers arrive swapped`() async throws {
        let directory = try TemporaryDirectory("spawn")
        // Neighbouring numbers that are free, found by taking them.
        let a = try file(directory, "a")
        let b = try file(directory, "b")
        let c = try file(directory, "c")
        var options = Options()
        options.descriptors = [a.raw: b, b.raw: c, c.raw: a]
        let found = try await open(in: options)
        #expect(found[Int(a.raw)] == directory.path("b"))
        #expect(found[Int(b.raw)] == directory.path("c"))
        #expect(found[Int(c.raw)] == directory.path("a"))
        #expect(found.count == 6)
    }

    @Test func `standard streams can come from each other's numbers`() async throws {
        // 0 -> 5, and standard error to what is standard output here: sources among the targets.
        let directory = try TemporaryDirectory("spawn")
        let file = try file(directory, "in")
        var options = Options()
        options.descriptors = [5: file, 6: file, 1023: file]
        options.standardInput = .descriptor(file.raw)
        let text = try await Template(
            "/bin/sh", arguments: ["-c", "cat; readlink /proc/$$/fd/5 /proc/$$/fd/6 /proc/$$/fd/1023"], options: options
        ).run().text
        #expect(text == "in" + String(repeating: directory.path("in") + "\n", count: 3))
    }

    @Test func `one descriptor under several numbers`() async throws {
        let directory = try TemporaryDirectory("spawn")
        let file = try file(directory, "x")
        var options = Options()
        options.descriptors = Dictionary(uniqueKeysWithValues: (3..<40).map { ($0, file) })
        let found = try await open(in: options)
        #expect((3..<40).allSatisfy { found[$0] == directory.path("x") })
        #expect(found.count == 40)
    }

    @Test func `a source that is not open is an error that names the stream`() async throws {
        // Above the limit on open files: no test that runs beside this one can have it.
        let closed: CInt = 1_000_000
        let error = #expect(throws: SpawnError.self) { _ = try Template("true").start(output: .descriptor(closed)) }
        #expect(
            error?.description
                == "hand over standard output: Bad file descriptor (EBADF). It is not open in this process.")
    }

    @Test func `a program by descriptor runs although its file is gone`() async throws {
        let directory = try TemporaryDirectory("spawn")
        let path = directory.path("program")
        let bytes = try Files.read("/bin/echo")
        try Files.replace(path, with: bytes, mode: 0o755)
        let program = SharedFD(try Files.open(path, 0))
        try Files.remove(path)
        let template = try Template(.descriptor(program, name: "ghost"), arguments: ["still here"])
        #expect(try await template.run().text == "still here\n")
        #expect(template.path == "ghost")
    }

    @Test func `a script by descriptor is refused with the reason`() throws {
        let directory = try TemporaryDirectory("spawn")
        let script = try directory.write("#!/bin/sh\necho hi\n", to: "script", mode: 0o755)
        let file = SharedFD(try Files.open(script, 0))
        let error = #expect(throws: SpawnError.self) { _ = try Template(.descriptor(file, name: "script")) }
        #expect(error?.description.contains("It is a script") == true)
    }
}
