import Testing

@testable import CommandLine

@Suite struct MountFlagTests {
    @Test func `a volume is a source and a target`() throws {
        let bind = try VolumeFlag.parse("/data:/in", workingDirectory: "/home/me")
        #expect(bind == .bind(BindFlag(source: "/data", target: "/in", isReadOnly: false)))
    }

    @Test(arguments: [("ro", true), ("rw", false)])
    func `a volume can be read-only`(option: String, isReadOnly: Bool) throws {
        let bind = BindFlag(source: "/a", target: "/b", isReadOnly: isReadOnly)
        #expect(try VolumeFlag.parse("/a:/b:\(option)", workingDirectory: "/") == .bind(bind))
        let volume = VolumeFlag(name: "a", target: "/b", isReadOnly: isReadOnly)
        #expect(try VolumeFlag.parse("a:/b:\(option)", workingDirectory: "/") == .volume(volume))
    }

    @Test(arguments: [
        (".", "/home/me", "/home/me/."), ("./x", "/home/me", "/home/me/./x"), ("../x", "/home/me", "/home/me/../x"),
        ("./x", "/", "/./x"),
    ])
    func `a source with a dot is relative to the working directory`(source: String, here: String, path: String) throws {
        let bind = BindFlag(source: path, target: "/t")
        #expect(try VolumeFlag.parse("\(source):/t", workingDirectory: here) == .bind(bind))
    }

    @Test func `a bare name is a volume, a target alone one without a name`() throws {
        #expect(try VolumeFlag.parse("data:/in", workingDirectory: "/") == .volume(VolumeFlag(name: "data", target: "/in")))
        #expect(try VolumeFlag.parse("/in", workingDirectory: "/") == .volume(VolumeFlag(name: nil, target: "/in")))
        let error = #expect(throws: FlagError.self) { try VolumeFlag.parse("a/b:/in", workingDirectory: "/") }
        #expect(error?.description.contains("\"a/b\" is neither a path nor the name of a volume") == true)
    }

    @Test(arguments: ["data", "", ":", ":/in", "/a:", "/a:b", "/a:/", "/a://", "/a:/b:z", "/a:/b:ro:x", "/a:/b:"])
    func `a volume that makes no sense is refused`(text: String) {
        #expect(throws: FlagError.self) { try VolumeFlag.parse(text, workingDirectory: "/") }
    }

    @Test(arguments: [
        ("type=bind,source=/a,target=/b", MountFlag.bind(BindFlag(source: "/a", target: "/b"))),
        ("type=bind,src=./a,dst=/b,readonly", .bind(BindFlag(source: "/w/./a", target: "/b", isReadOnly: true))),
        ("type=bind,source=/a,destination=/b,ro=false", .bind(BindFlag(source: "/a", target: "/b"))),
        ("target=/t,type=tmpfs,tmpfs-size=64m", .tmpfs(TmpfsFlag(target: "/t", sizeBytes: 64 << 20))),
        ("type=tmpfs,target=/t", .tmpfs(TmpfsFlag(target: "/t"))),
        ("type=volume,source=x,target=/b,ro", .volume(VolumeFlag(name: "x", target: "/b", isReadOnly: true))),
        ("src=x,dst=/b", .volume(VolumeFlag(name: "x", target: "/b"))), ("target=/b", .volume(VolumeFlag(target: "/b"))),
    ])
    func `mounts are read by their keys`(text: String, mount: MountFlag) throws {
        #expect(try MountFlag.parse(text, workingDirectory: "/w") == mount)
    }

    @Test(arguments: [
        "", "type=bind", "source=/a,target=/b", "type=volume,source=x,target=/b,volume-nocopy", "type=volume,source=x",
        "type=bind,source=/a", "type=npipe,source=x,target=/b",
        "type=bind,source=/a,target=/b,propagation=shared", "type=tmpfs,source=/a,target=/t",
        "type=tmpfs,target=/t,tmpfs-mode=700", "type=bind,source=/a,source=/c,target=/b", "type=bind,=x",
        "type=bind,source=/a,target=/b,readonly=maybe", "type=tmpfs,target=/t,tmpfs-size=0",
    ])
    func `no key of a mount is ignored`(text: String) {
        #expect(throws: FlagError.self) { try MountFlag.parse(text, workingDirectory: "/") }
    }

    @Test func `a tmpfs has a target and perhaps a size`() throws {
        #expect(try TmpfsFlag.parse("/run") == TmpfsFlag(target: "/run"))
        #expect(try TmpfsFlag.parse("/run:size=1g") == TmpfsFlag(target: "/run", sizeBytes: 1 << 30))
    }

    @Test(arguments: ["", "run", "/run:exec", "/run:size", "/run:size=", "/run:mode=700", "/run:size=1x", "/run:size=0"])
    func `a tmpfs that makes no sense is refused`(text: String) {
        #expect(throws: FlagError.self) { try TmpfsFlag.parse(text) }
    }
}
