@testable import Building
import Engine
import Glibc
import Images
import Linux
import OCI
import TestKit
import Testing

/// Copying between directories: what needs an overlay is in the tests of builds.
@Suite(.enabled(if: isRoot)) struct CopyingTests {
    private let source: TemporaryDirectory
    private let image: TemporaryDirectory

    init() throws {
        source = try TemporaryDirectory("source")
        image = try TemporaryDirectory("image")
    }

    private func tree(_ rules: String = "", keepsOwners: Bool = false) throws -> SourceTree {
        SourceTree(
            SharedFD(try Files.open(source.path, O_RDONLY | O_DIRECTORY)),
            rules: try IgnoreRules(parsing: Array(rules.utf8)), title: "the context", keepsOwners: keepsOwners)
    }

    private func step(
        _ paths: [String], _ destination: String, rules: String = "", _ change: (inout CopyAction) -> Void = { _ in }
    ) throws -> CopyStep {
        var action = CopyAction(
            sources: paths.map { .path($0) }, destination: BuildPath.joined("/", destination),
            isDirectory: destination.hasSuffix("/"), unpacksArchives: false)
        change(&action)
        return CopyStep(action: action, tree: try tree(rules), textTime: FileTime(seconds: 7))
    }

    /// Copies, and checks that hashing alone gives the same digest.
    @discardableResult
    private func copy(
        _ paths: [String], _ destination: String, rules: String = "", _ change: (inout CopyAction) -> Void = { _ in }
    ) throws -> Digest {
        let step = try step(paths, destination, rules: rules, change)
        let expected = try step.digest(Cancellation())
        let root = SharedFD(try Files.open(image.path, O_RDONLY | O_DIRECTORY))
        let found = try step.copy(into: CopyTarget(root: root, latest: nil), Cancellation())
        #expect(found == expected)
        return found
    }

    private func failure(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return "nothing failed"
        } catch { return "\(error)" }
    }

    /// Everything in the image's directory.
    private func files(_ path: String = "") throws -> [String] {
        var found: [String] = []
        for name in try Files.list(image.path(path)).sorted() {
            let child = path.isEmpty ? name : path + "/" + name
            found.append(child)
            if try Files.status(image.path(child), followLinks: false).kind == .directory { found += try files(child) }
        }
        return found
    }

    private func text(_ path: String) throws -> String { try Files.readText(image.path(path)) }

    @Test func `files and directories go where BuildKit puts them`() throws {
        try source.write("a", to: "a")
        try source.write("b", to: "d/b")
        try source.write("c", to: "d/e/c")
        try copy(["a"], "x")
        try copy(["a"], "y/")
        try copy(["d"], "z")
        try copy(["a", "d/b"], "w/")
        #expect(try files() == ["w", "w/a", "w/b", "x", "y", "y/a", "z", "z/b", "z/e", "z/e/c"])
        // Into what is a directory already, and over what is a file.
        try source.write("new", to: "a")
        try copy(["a"], "z")
        try copy(["a"], "x")
        #expect(try text("z/a") == "new")
        #expect(try text("x") == "new")
        #expect(failure { try copy(["d"], "x") }.contains("no directory"))
        try source.write("", to: "e")
        #expect(failure { try copy(["d"], "x/y") } != "nothing failed")
    }

    @Test func `a context's links lead nowhere outside`() throws {
        let outside = try TemporaryDirectory("outside")
        try outside.write("secret", to: "passwd")
        let root = try tree().root
        try Files.makeDirectories(source.path("etc"))
        try source.write("own", to: "etc/passwd")
        for (target, name) in [
            ("/etc/passwd", "absolute"), ("../../../../../etc/passwd", "up"), (outside.path, "directory"),
            ("circle", "circle"), ("etc", "inside"),
        ] {
            try FileEntries.makeLink(to: target, named: name, at: root.raw)
        }
        // With the context as "/", as BuildKit has it.
        for name in ["absolute", "up", "inside/passwd", "../../etc/passwd", "/etc/passwd"] {
            try copy([name], "found")
            #expect(try text("found") == "own", "\(name)")
        }
        for name in ["directory", "directory/passwd", "circle", "absolute/x", "nothing", String(repeating: "n", count: 300)] {
            #expect(failure { try copy([name], "none") } != "nothing failed", "\(name)")
        }
        #expect(try files() == ["found"])
    }

    @Test func `a link below a copied directory is copied as a link`() throws {
        try Files.makeDirectories(source.path("d"))
        let d = try Files.open(source.path("d"), O_RDONLY | O_DIRECTORY)
        try FileEntries.makeLink(to: "/etc/shadow", named: "link", at: d.raw)
        try copy(["d"], "x")
        #expect(try Files.link(image.path("x/link")) == "/etc/shadow")
        // Where a link of the image stands, the link itself is replaced.
        try source.write("text", to: "e/link")
        try copy(["e"], "x")
        #expect(try Files.status(image.path("x/link"), followLinks: false).kind == .regular)
    }

    @Test func `links of the image lead nowhere outside`() throws {
        let outside = try TemporaryDirectory("outside")
        try source.write("text", to: "a")
        let root = try Files.open(image.path, O_RDONLY | O_DIRECTORY)
        try FileEntries.makeLink(to: outside.path, named: "out", at: root.raw)
        try FileEntries.makeLink(to: "../../../inside", named: "in", at: root.raw)
        try copy(["a"], "out/")
        try copy(["a"], "in/b")
        #expect(try Files.list(outside.path) == [])
        #expect(try text(String(outside.path.dropFirst()) + "/a") == "text")
        #expect(try text("inside/b") == "text")
    }

    @Test func `what is ignored is not reached through a link`() throws {
        try source.write("s", to: "secret/key")
        try source.write("p", to: "public/key")
        let root = try tree().root
        try FileEntries.makeLink(to: "secret", named: "link", at: root.raw)
        try FileEntries.makeLink(to: "secret/key", named: "key", at: root.raw)
        for path in ["secret", "secret/key", "link", "link/key", "key", "sec*", "public/../secret/key", "/link/./key"] {
            let said = failure { try copy([path], "x", rules: "secret\n") }
            #expect(said.contains(".dockerignore"), "\(path): \(said)")
        }
        try copy(["."], "x", rules: "secret\nkey\n")
        #expect(try files() == ["x", "x/link", "x/public", "x/public/key"])
    }

    @Test func `an ignored directory is there for what is not`() throws {
        for path in ["d/a", "d/b", "d/e/c", "f/a"] { try source.write(path, to: path) }
        try copy(["."], "x/", rules: "d\nf\n!d/e/c\n")
        #expect(try files() == ["x", "x/d", "x/d/e", "x/d/e/c"])
    }

    @Test func `patterns stand for names, one directory at a time`() throws {
        for path in ["a.txt", "b.txt", "c.md", "d/e.txt", "d1/e.txt"] { try source.write(path, to: path) }
        try copy(["*.txt"], "x/")
        try copy(["d*/e.txt"], "y/")
        try copy(["[ac].*", "?1/e.txt"], "z/")
        #expect(try files() == ["x", "x/a.txt", "x/b.txt", "y", "y/e.txt", "z", "z/a.txt", "z/c.md", "z/e.txt"])
        #expect(try text("y/e.txt") == "d1/e.txt")
        #expect(failure { try copy(["*.txt"], "w") }.contains("\"/\""))
        #expect(failure { try copy(["*.none"], "w/") }.contains("*.none"))
        #expect(failure { try copy(["[a"], "w/") } != "nothing failed")
    }

    @Test func `a context's pipe is made anew and never opened`() throws {
        let root = try tree().root
        try Files.makeDirectories(source.path("d"))
        let d = try Files.open(source.path("d"), O_RDONLY | O_DIRECTORY)
        try FileEntries.makePipe("pipe", at: d.raw)
        try FileEntries.makePipe("pipe", at: root.raw)
        try copy(["d"], "x")
        try copy(["pipe"], "y")
        #expect(try Files.status(image.path("x/pipe")).kind == .pipe)
        try FileEntries.makeDevice("null", at: root.raw, block: false, major: 1, minor: 3)
        #expect(failure { try copy(["null"], "z") }.contains("device"))
    }

    @Test func `the digest of a tree is of its contents, not of its times`() throws {
        try source.write("a", to: "d/a", mode: 0o644)
        try source.write("b", to: "d/e/b")
        func digest(_ rules: String = "") throws -> Digest { try step(["d"], "x", rules: rules).digest(Cancellation()) }
        let before = try digest()
        let file = try Files.open(source.path("d/a"), O_RDONLY)
        try FileEntries.setTime(FileTime(seconds: 5), of: file.raw, name: "a")
        #expect(try digest() == before)
        try source.write("unseen", to: "f")
        #expect(try digest() == before)
        try Files.setPermissions(source.path("d/a"), 0o755)
        let changed = try digest()
        #expect(changed != before)
        try Files.setPermissions(source.path("d/a"), 0o644)
        try source.write("A", to: "d/a")
        #expect(try digest() != before)
        try source.write("a", to: "d/a")
        #expect(try digest() == before)
        #expect(try digest("d/e\n") != before)
        try Files.rename(source.path("d/a"), to: source.path("d/z"))
        #expect(try digest() != before)
    }

    @Test func `owners and modes are as they were asked for`() throws {
        try image.write("root:x:0:0::/:/bin/sh\nuser:x:7:8::/:/bin/sh\n", to: "etc/passwd")
        try image.write("staff:x:9:\n", to: "etc/group")
        try source.write("a", to: "d/a", mode: 0o640)
        func owner(_ path: String) throws -> String {
            let status = try Files.status(image.path(path))
            return "\(status.owner):\(status.group) \(String(status.permissions, radix: 8))"
        }
        for (chown, expected) in [
            (nil, "0:0"), ("user", "7:8"), ("user:staff", "7:9"), ("3", "3:3"), ("3:4", "3:4"), ("user:5", "7:5"),
        ] {
            try copy(["d"], "x/y") { $0.owner = chown }
            #expect(try owner("x/y/a") == expected + " 640")
            try copy(["d/a"], "x/b") {
                $0.owner = chown
                $0.mode = 0o4711
            }
            #expect(try owner("x/b") == expected + " 4711")
        }
        for chown in ["nobody", "user:nobody", "-1", "user:", ":staff", "99999999999", ""] {
            #expect(failure { try copy(["d"], "z") { $0.owner = chown } }.contains("--chown"), "\(chown)")
        }
    }

    @Test func `files with several names stay one file`() throws {
        try source.write("text", to: "d/a")
        try Files.makeDirectories(source.path("d/e"))
        let d = try Files.open(source.path("d"), O_RDONLY)
        let e = try Files.open(source.path("d/e"), O_RDONLY)
        try FileEntries.link("a", at: d.raw, to: "b", at: e.raw)
        try copy(["d"], "x")
        #expect(try Files.status(image.path("x/a")).inode == Files.status(image.path("x/e/b")).inode)
    }

    @Test func `texts of the Dockerfile become files`() throws {
        try copy([], "x/") { $0.sources = [.file(name: "one", text: "1"), .file(name: "two", text: "2")] }
        try copy([], "y") { $0.sources = [.file(name: "one", text: "1")] }
        #expect(try files() == ["x", "x/one", "x/two", "y"])
        let file = try Files.open(image.path("y"), O_RDONLY)
        #expect(try FileEntries.status(of: file.raw).modified == FileTime(seconds: 7))
    }
}

/// Contexts that change while they are copied.
@Suite(.enabled(if: isRoot)) struct ChangingContextTests {
    @Test func `CVE-2018-15664: a context that changes while it is copied gives nothing from outside`() async throws {
        let context = try TemporaryDirectory("context")
        let outside = try TemporaryDirectory("outside")
        try outside.write("secret", to: "d/file")
        try context.write("own", to: "d/file")
        let root = SharedFD(try Files.open(context.path, O_RDONLY | O_DIRECTORY))
        try FileEntries.makeLink(to: outside.path("d"), named: "link", at: root.raw)
        // Somebody swaps the directory for the link, again and again.
        let swapping = Task.detached {
            while !Task.isCancelled {
                for (from, to) in [("d", "kept"), ("link", "d"), ("d", "link"), ("kept", "d")] {
                    try? Files.rename(from, to: to, at: root.raw)
                }
                await Task.yield()
            }
        }
        let tree = SourceTree(root, title: "the context", keepsOwners: false)
        for round in 0..<300 {
            let image = try TemporaryDirectory("image")
            let target = CopyTarget(root: SharedFD(try Files.open(image.path, O_RDONLY | O_DIRECTORY)), latest: nil)
            let path = round % 2 == 0 ? "d" : "d/file"
            let action = CopyAction(sources: [.path(path)], destination: "/x", isDirectory: false, unpacksArchives: false)
            let step = CopyStep(action: action, tree: tree, textTime: FileTime(seconds: 0))
            guard (try? step.copy(into: target, Cancellation())) != nil else { continue }
            let found = try CommandRunner.runBlocking(["grep", "-r", "secret", image.path])
            #expect(found.status == .exited(1))
        }
        swapping.cancel()
        await swapping.value
        // In peace it is copied.
        try? Files.rename("kept", to: "d", at: root.raw)
        let image = try TemporaryDirectory("image")
        let target = CopyTarget(root: SharedFD(try Files.open(image.path, O_RDONLY | O_DIRECTORY)), latest: nil)
        let action = CopyAction(sources: [.path("d")], destination: "/x", isDirectory: false, unpacksArchives: false)
        _ = try CopyStep(action: action, tree: tree, textTime: FileTime(seconds: 0)).copy(into: target, Cancellation())
        #expect(try Files.readText(image.path("x/file")) == "own")
    }

    @Test func `CVE-2024-23652: places of mounts are taken out of a layer without following links`() throws {
        let (stage, upper, outside) = (
            try TemporaryDirectory("stage"), try TemporaryDirectory("upper"), try TemporaryDirectory("outside")
        )
        try outside.write("", to: "hosts")
        try Files.makeDirectories(stage.path("proc"))
        let root = try Files.open(stage.path, O_RDONLY | O_DIRECTORY)
        let stubs = try MountStubs(["/proc", "/sys", "/etc/hosts", "/etc/resolv.conf", "/dev"], in: root.raw)
        // What the program left: a link for /etc, a directory with something in it, an empty one, one that was there.
        let above = try Files.open(upper.path, O_RDONLY | O_DIRECTORY)
        try FileEntries.makeLink(to: outside.path, named: "etc", at: above.raw)
        try upper.write("kept", to: "sys/kept")
        for name in ["dev", "proc"] { try Files.makeDirectories(upper.path(name)) }
        try stubs.remove(from: above.raw)
        #expect(try Files.list(upper.path).sorted() == ["etc", "proc", "sys"])
        #expect(try Files.list(outside.path) == ["hosts"])
        // Once more, with files of its own in a directory that the sandbox made.
        try Files.removeTree(upper.path("etc"))
        for name in ["hosts", "resolv.conf"] { try upper.write("", to: "etc/" + name) }
        try stubs.remove(from: above.raw)
        #expect(!Files.exists(upper.path("etc")))
    }
}
