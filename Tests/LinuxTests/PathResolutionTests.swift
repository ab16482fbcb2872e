import Glibc
import Linux
import TestKit
import Testing

@Suite struct PathResolutionTests {
    /// A root that somebody hostile has filled, beside a directory that must not be reached.
    private struct Place {
        let directory: TemporaryDirectory
        let root: SharedFD

        init() throws {
            directory = try TemporaryDirectory("paths")
            try directory.write("outside", to: "etc/secret")
            try directory.write("inside", to: "root/etc/secret")
            for (target, name) in [
                ("../../../../../../etc", "up"), (directory.path("etc"), "absolute"), ("/etc", "own"), ("loop", "loop"),
                ("nowhere", "dangling"),
            ] {
                #expect(symlink(target, directory.path("root/\(name)")) == 0)
            }
            root = SharedFD(try Files.open(directory.path("root"), O_RDONLY | O_DIRECTORY))
        }

        func read(_ path: String) throws -> String {
            let fd = try PathResolution.open(path, inRoot: root.raw, flags: O_RDONLY)
            return String(decoding: try Files.readAll(fd.raw), as: UTF8.self)
        }
    }

    @Test(arguments: [
        "etc/secret", "/etc/secret", "up/secret", "own/secret", "../../etc/secret", "etc/../../etc/secret",
    ])
    func `every way leads to the file inside the root`(path: String) throws {
        #expect(try Place().read(path) == "inside")
    }

    @Test func `an absolute link to the outside is taken below the root, where nothing is`() throws {
        let error = #expect(throws: SystemError.self) { try Place().read("absolute/secret") }
        #expect(error?.code == .noEntry)
    }

    @Test func `a loop of links is an error`() throws {
        let error = #expect(throws: SystemError.self) { try Place().read("loop") }
        #expect(error?.code == .tooManyLinks)
    }

    @Test func `magic links are refused`() throws {
        let root = try Files.open("/", O_RDONLY | O_DIRECTORY)
        for path in ["/proc/self/root/etc/passwd", "/proc/self/exe", "/proc/self/cwd"] {
            let error = #expect(throws: SystemError.self) {
                _ = try PathResolution.open(path, inRoot: root.raw, flags: O_RDONLY)
            }
            #expect(error?.code == .tooManyLinks)
        }
    }

    @Test func `directories are made below the root, through links that stay in it`() throws {
        let place = try Place()
        _ = try PathResolution.makeDirectories("/a/./b//c", inRoot: place.root.raw)
        _ = try PathResolution.makeDirectories("own/new", inRoot: place.root.raw)
        _ = try PathResolution.makeDirectories("up/newer", inRoot: place.root.raw)
        for name in ["a/b/c", "etc/new", "etc/newer"] {
            #expect(try Files.status(place.directory.path("root/" + name)).kind == .directory)
        }
        #expect(try Files.list(place.directory.path("etc")) == ["secret"])
    }

    @Test func `two dots and links to nowhere are refused`() throws {
        let place = try Place()
        let dots = #expect(throws: SystemError.self) {
            _ = try PathResolution.makeDirectories("a/../../b", inRoot: place.root.raw)
        }
        #expect(dots?.description == "resolve a/../../b: Invalid argument (EINVAL). Leave out \"..\".")
        let link = #expect(throws: SystemError.self) {
            _ = try PathResolution.makeDirectories("dangling/x", inRoot: place.root.raw)
        }
        #expect(link?.code == .noEntry)
        let file = #expect(throws: SystemError.self) {
            _ = try PathResolution.makeDirectories("etc/secret/x", inRoot: place.root.raw)
        }
        #expect(file?.code == .notDirectory)
    }

    @Test func `a mount target is made as an empty file and an existing one is left as it is`() throws {
        let place = try Place()
        let made = try PathResolution.makeFile("/var/run/socket", inRoot: place.root.raw)
        #expect(try Files.status(of: made.raw).kind == .regular)
        _ = try PathResolution.makeFile("own/secret", inRoot: place.root.raw)
        #expect(try place.read("etc/secret") == "inside")
        let dangling = #expect(throws: SystemError.self) {
            _ = try PathResolution.makeFile("dangling", inRoot: place.root.raw)
        }
        #expect(dangling?.code == .noEntry)
        #expect(throws: SystemError.self) { _ = try PathResolution.makeFile("/", inRoot: place.root.raw) }
    }

    @Test func `users of a root filesystem are read inside it`() throws {
        let place = try Place()
        try place.directory.write("in:x:5:6::/:/bin/sh\n", to: "root/etc/passwd")
        #expect(symlink(place.directory.path("etc/secret"), place.directory.path("root/etc/group")) == 0)
        let users = Users.inRoot(place.root.raw)
        #expect(users.users.map(\.name) == ["in"])
        #expect(users.groups == [])
    }

    @Test func `a password file that is a pipe holds nobody up`() throws {
        let place = try Place()
        #expect(mkfifo(place.directory.path("root/etc/passwd"), 0o600) == 0)
        #expect(Users.inRoot(place.root.raw).users == [])
    }
}
