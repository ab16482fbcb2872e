import Engine
import Glibc
import Linux
import Sandbox
import TestKit
import Testing

/// Programs, users and places of an image, looked at through its layers; hostile ones above all.
@Suite struct LayeredFilesTests {
    let files: TemporaryDirectory

    init() throws {
        files = try TemporaryDirectory("layers")
        try files.write("x", to: "low/bin/tool", mode: 0o755)
        try files.write("low", to: "low/dir/hidden", mode: 0o755)
        try files.write("app:x:7:8:App:/home/app:/bin/sh\n", to: "low/etc/passwd")
        try files.write("desk:x:9:app\n", to: "low/etc/group")
        try files.write("x", to: "top/keep", mode: 0o755)
    }

    private func image(room: String? = nil) -> ImageRoot {
        ImageRoot(layers: [files.path("top"), files.path("low")], rooms: files.path("rooms"), room: room)
    }

    private func gather(
        room: String? = nil, _ change: (inout ContainerSpec) -> Void = { _ in }
    ) throws -> LaunchFindings {
        var spec = ContainerSpec(program: "/bin/tool")
        spec.image = ContainerImage("app")
        change(&spec)
        return try LaunchFindings.gather(for: spec, image: image(room: room))
    }

    private func failure(_ change: (inout ContainerSpec) -> Void) -> String {
        #expect(throws: NodeFailure.self) { try gather(change) }?.message ?? ""
    }

    @Test func `what upper layers hide is not found`() throws {
        #expect(try gather().program.realPath == "/bin/tool")
        #expect(try gather { $0.program = "/dir/hidden" }.program.realPath == "/dir/hidden")
        // A file over a directory.
        try files.write("x", to: "top/dir", mode: 0o755)
        #expect(failure { $0.program = "/dir/hidden" }.contains("no such file"))
        guard isRoot else { return }
        mknod(files.path("top/bin"), mode_t(S_IFCHR), 0)
        #expect(failure { _ in }.contains("no such file"))
    }

    @Test(.enabled(if: isRoot)) func `an opaque directory hides what is below it`() throws {
        try Files.makeDirectories(files.path("top/dir"))
        #expect(try gather { $0.program = "/dir/hidden" }.program.path == "/dir/hidden")
        let directory = try Files.open(files.path("top/dir"), O_RDONLY)
        try ExtendedAttributes.set("trusted.overlay.opaque", [UInt8(ascii: "y")], of: directory.raw, file: "dir")
        #expect(failure { $0.program = "/dir/hidden" }.contains("no such file"))
    }

    @Test func `what a container has written is seen first`() throws {
        try files.write("x", to: "rooms/1-1/upper/bin/mine", mode: 0o755)
        try files.write("own:x:17:18::/own:/bin/sh\n", to: "rooms/1-1/upper/etc/passwd")
        let own = try gather(room: "1-1") {
            $0.program = "/bin/mine"
            $0.user = "own"
        }
        #expect(own.program.path == "/bin/mine" && own.identity.uid == 17)
        #expect(failure { $0.program = "/bin/mine" }.contains("no such file"))
    }

    @Test func `no link leads out of the stack`() throws {
        try files.write("x", to: "outside", mode: 0o755)
        try Files.makeDirectories(files.path("top/bin"))
        symlink(files.path("outside"), files.path("top/bin/absolute"))
        symlink("../../../../../../..\(files.path("outside"))", files.path("top/bin/relative"))
        symlink("loop", files.path("top/bin/loop"))
        for name in ["absolute", "relative", "loop"] {
            #expect(failure { $0.program = "/bin/\(name)" }.contains("no such file"), "\(name)")
        }
        // Across layers a link is followed from the top of the stack.
        symlink("/bin/tool", files.path("top/link"))
        #expect(try gather { $0.program = "/link" }.program.realPath == "/bin/tool")
    }

    /// CVE-2024-9676
    @Test func `a pipe, a device or a huge file is refused without being opened`() throws {
        try Files.makeDirectories(files.path("top/etc"))
        let passwd = files.path("top/etc/passwd")
        func refused() throws {
            #expect(failure { $0.user = "app" }.contains("/etc/passwd of the root was not read"))
            // Numbers need no file.
            #expect(try gather { $0.user = "7:8" }.identity.uid == 7)
        }
        mkfifo(passwd, 0o644)
        try refused()
        unlink(passwd)
        symlink("/dir", passwd)
        try refused()
        unlink(passwd)
        try files.write("", to: "top/etc/passwd")
        truncate(passwd, 1 << 40)
        try refused()
        unlink(passwd)
        symlink("/etc/shadow", passwd)
        #expect(failure { $0.user = "app" }.contains("no user of that name"))
        unlink(passwd)
        guard isRoot else { return }
        // Block 7:99 is nobody's: opening it would fail in another way, or hang.
        mknod(passwd, mode_t(S_IFBLK) | 0o644, 7 << 8 | 99)
        try refused()
    }

    /// CVE-2024-40635, CVE-2026-46680, CVE-2026-30892
    @Test func `a user that is no id and no name is refused, never root`() throws {
        for user in ["2147483648", "4294967295:1", "4294967296", "99999999999", "-1", "1000:", ":1000", "nobody-here", "7:2147483648"] {
            #expect(failure { $0.user = user }.contains("USER"), "\(user)")
        }
        #expect(try gather { $0.user = "app" }.identity == Users.Identity(uid: 7, gid: 8, groups: [9], home: "/home/app"))
        #expect(try gather { $0.user = "01000" }.identity.uid == 1000)
    }

    @Test func `a working directory that is missing is made below the root, links followed inside`() throws {
        #expect(try gather { $0.directory = "/bin" }.missingDirectory == nil)
        #expect(try gather { $0.directory = "/srv/app" }.missingDirectory == "/srv/app")
        symlink("/../../../srv", files.path("top/link"))
        #expect(try gather { $0.directory = "/link/app/../data" }.missingDirectory == "/srv/data")
        symlink("/proc/self/fd", files.path("top/descriptors"))
        // Nothing is made where the kernel's own will be; the change of directory follows no such link.
        #expect(try gather { $0.directory = "/descriptors/7" }.missingDirectory == nil)
        #expect(failure { $0.directory = "/bin/tool" }.contains("is no directory"))
        #expect(failure { $0.directory = "/bin/tool/x" }.contains("/bin/tool is no directory"))
        #expect(try gather { $0.directory = "/v/x"; $0.mounts = [.temporary(target: "/v", bytes: nil)] }.missingDirectory == nil)
    }

    @Test func `files of etc are bound where the image's links lead`() throws {
        #expect(try gather().roomPlaces.resolver == "/etc/resolv.conf")
        try Files.makeDirectories(files.path("top/etc"))
        symlink("../run/systemd/resolve/stub-resolv.conf", files.path("top/etc/resolv.conf"))
        symlink("/../../../victim", files.path("top/etc/hosts"))
        let places = try gather().roomPlaces
        #expect(places.resolver == "/run/systemd/resolve/stub-resolv.conf")
        #expect(places.hosts == "/victim")
        #expect(places.hostname == "/etc/hostname")
    }
}
