import Linux
import Testing

@Suite struct MountinfoTests {
    private func parse(_ text: String) throws -> [Mountinfo] { try Mountinfo.parse(Array(text.utf8)) }

    @Test func `the example of proc_pid_mountinfo(5) is read field by field`() throws {
        let mount = try #require(
            try parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n").first)
        #expect(mount.id == 36)
        #expect(mount.parent == 35)
        #expect(mount.deviceMajor == 98)
        #expect(mount.deviceMinor == 0)
        #expect(mount.root == "/mnt1")
        #expect(mount.mountPoint == "/mnt2")
        #expect(mount.options == ["rw", "noatime"])
        #expect(mount.optionalFields == ["master:1"])
        #expect(mount.fileSystem == "ext3")
        #expect(mount.source == "/dev/root")
        #expect(mount.superOptions == ["rw", "errors=continue"])
    }

    @Test(arguments: [[], ["shared:5"], ["shared:5", "master:1", "propagate_from:2", "unbindable", "new:9"]])
    func `any number of optional fields is skipped up to the hyphen`(fields: [String]) throws {
        let middle = fields.map { $0 + " " }.joined()
        let mount = try #require(try parse("1 0 0:1 / /a rw \(middle)- tmpfs none rw").first)
        #expect(mount.optionalFields == fields)
        #expect(mount.fileSystem == "tmpfs")
    }

    @Test func `octal escapes in paths and sources are decoded`() throws {
        let mount = try #require(
            try parse(#"1 0 0:1 /a\134b /with\040space\011tab\012line rw - fuse.x //host/my\040share rw"#).first)
        #expect(mount.root == #"/a\b"#)
        #expect(mount.mountPoint == "/with space\ttab\nline")
        #expect(mount.source == "//host/my share")
    }

    @Test(arguments: [(#"/a\"#, #"/a\"#), (#"/a\04"#, #"/a\04"#), (#"/a\089"#, #"/a\089"#), (#"/a\777"#, #"/a\777"#)])
    func `a backslash without a byte's three octal digits stands for itself`(written: String, meant: String) throws {
        #expect(try parse("1 0 0:1 / \(written) rw - tmpfs none rw").first?.mountPoint == meant)
    }

    @Test func `an empty source is a field and not a gap`() throws {
        let mount = try #require(try parse("1 0 0:1 / /a rw - tmpfs  rw,size=1k").first)
        #expect(mount.source == "")
        #expect(mount.superOptions == ["rw", "size=1k"])
    }

    @Test(arguments: [
        "nonsense", "36 35 98:0 /mnt1 /mnt2 rw master:1 ext3 /dev/root rw", "x 35 98:0 / /a rw - ext3 none rw",
        "36 35 98 / /a rw - ext3 none rw", "36 35 98:0 / /a rw - ext3 none", "36 35 98:0 / a rw - ext3 none rw",
        "36 35 98:0 / /a rw - ext3",
    ])
    func `a damaged line is refused by its text`(line: String) {
        let error = #expect(throws: SystemError.self) {
            try parse("1 0 0:1 / / rw - tmpfs none rw\n\(line)\n")
        }
        #expect(error?.subject == line)
        #expect(error?.code == .invalid)
    }

    @Test func `a mount covered by another on the same or a higher directory is not seen`() throws {
        let mounts = try parse(
            """
            10 1 0:1 / / rw - ext4 root rw
            11 10 0:2 / /a/b rw - tmpfs covered-from-above rw
            12 10 0:3 / /a rw - tmpfs above rw
            13 10 0:4 / /c rw - tmpfs covered rw
            14 13 0:5 / /c rw - tmpfs top rw
            15 14 0:6 / /c/d rw - tmpfs inner rw
            """)
        #expect(Mountinfo.seen(at: "/a/b", in: mounts)?.source == "above")
        #expect(Mountinfo.seen(at: "/c", in: mounts)?.source == "top")
        #expect(Mountinfo.seen(at: "/c/d/e", in: mounts)?.source == "inner")
        #expect(Mountinfo.seen(at: "/cd", in: mounts)?.source == "root")
        #expect(Mountinfo.seen(at: "/", in: mounts)?.source == "root")
    }

    @Test func `this process sees proc where it is mounted`() throws {
        let mounts = try Mountinfo.ofThisProcess()
        #expect(Mountinfo.seen(at: "/proc", in: mounts)?.fileSystem == "proc")
    }
}

@Suite struct DirectoriesTests {
    @Test func `only directories are listed as subdirectories and a place gives access below it`() throws {
        let path = "/tmp/forkless-directories-\(UInt64.random(in: 0 ... .max))"
        try Files.makeDirectory(path)
        defer { try? Files.removeTree(path) }
        let place = try Files.place(path)
        try Files.makeDirectory("inner", at: place.raw)
        try Files.replace(path + "/file", with: [1])
        #expect(try Files.subdirectories(path) == ["inner"])
        #expect(throws: SystemError.self) { try Files.list(place.raw) }
        let again = #expect(throws: SystemError.self) { try Files.makeDirectory("inner", at: place.raw) }
        #expect(again?.code == .exists)
        try Files.removeDirectory("inner", at: place.raw)
        #expect(try Files.subdirectories(path) == [])
    }
}
