import ExecDoor
import Linux
import Spawn
import TestKit
import Testing

/// Shims over programs, in this machine's own mount namespace: over copies in directories of the tests.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ProgramMountsTests {
    private let directory: TemporaryDirectory
    private let mounts: ProgramMounts

    init() throws {
        directory = try TemporaryDirectory("mounts")
        mounts = ProgramMounts(state: directory.path("state"), run: directory.path("run"))
    }

    private func copy(_ name: String = "program") throws -> String {
        let path = directory.path(name)
        try Files.replace(path, with: try Files.read("/bin/true"), mode: 0o755)
        return path
    }

    /// A script stands for the shim: what is mounted is no concern of the mounts.
    private func mount(_ id: String, _ program: String) throws -> MountedProgram {
        try mounts.mount(id, program: program) { shim, original, _ in
            try Files.replace(shim, with: Array("#!/bin/sh\necho shim of \(original)\n".utf8), mode: 0o755)
        }
    }

    private func unmount(_ id: String, _ program: String) throws {
        try mounts.unmount(id, at: program)
        try mounts.tidy([])
    }

    @Test func `mounting and unmounting leave the program's file as it was`() async throws {
        let program = try copy()
        let before = try Files.read(program)
        let mounted = try mount("one", program)
        #expect(try await CommandRunner.run([program]).text == "shim of \(mounted.originalPath)\n")
        #expect(try Files.read(mounted.originalPath) == before)
        #expect(mounts.look("one", at: program) == MountLook(isMounted: true, program: mounted.file.identity))
        try unmount("one", program)
        #expect(try Files.read(program) == before)
        #expect(mounts.look("one", at: program).isMounted == false)
        #expect(try Mountinfo.ofThisProcess().filter { $0.mountPoint.hasPrefix(directory.path) } == [])
    }

    @Test func `a shim is put over again, and there is one mount`() throws {
        let program = try copy()
        for _ in 0..<3 { _ = try mount("one", program) }
        #expect(try Mountinfo.ofThisProcess().filter { $0.mountPoint == program }.count == 1)
        try unmount("one", program)
    }

    @Test func `what somebody else has mounted stays`() throws {
        let program = try copy()
        let other = try copy("other")
        try Mounts.attach(try Mounts.copyOne(other), at: program)
        let problem = #expect(throws: ShiftProblem.self) { try mount("one", program) }
        #expect(problem?.kind == .conflict)
        #expect(try mounts.unmount("one", at: program) == false)
        #expect(try Mountinfo.ofThisProcess().filter { $0.mountPoint == program }.count == 1)
        try Mounts.detach(program)
        try mounts.tidy([])
    }

    @Test func `nothing can be changed through the view of the originals`() throws {
        let program = try copy()
        let mounted = try mount("one", program)
        let error = #expect(throws: SystemError.self) { try Files.remove(mounted.originalPath) }
        #expect(error?.code == .readOnlyFileSystem)
        #expect(Files.exists(program))
        try unmount("one", program)
    }

    @Test func `a program that is written in place while it is shifted is refused by the kernel`() async throws {
        let program = try copy()
        _ = try mount("one", program)
        let outcome = try await CommandRunner.run(["cp", "/bin/false", program])
        #expect(!outcome.status.isSuccess)
        try unmount("one", program)
        #expect(try Files.read(program) == Files.read("/bin/true"))
    }

    @Test func `a link is followed, and the file that it leads to is shifted`() async throws {
        let program = try copy()
        let link = directory.path("link")
        _ = try await CommandRunner.run(["ln", "-s", "program", link])
        let mounted = try mount("one", link)
        #expect(mounted.file.path == program)
        #expect(mounted.file.remarks.contains { $0.contains("is a link") })
        #expect(try await CommandRunner.run([program]).text.hasPrefix("shim"))
        try unmount("one", program)
    }

    @Test func `names with spaces and newlines are shifted like others`() async throws {
        let program = try copy("a program\nof two lines")
        _ = try mount("one", program)
        #expect(try await CommandRunner.run([program]).text.hasPrefix("shim"))
        #expect(mounts.look("one", at: program).isMounted)
        try unmount("one", program)
        #expect(!mounts.look("one", at: program).isMounted)
    }

    @Test func `what cannot be shifted is refused with the reason, and nothing is left`() async throws {
        let cases: [(name: String, content: String, mode: UInt32, reason: String)] = [
            ("setuid", "#!/bin/sh\n", 0o4755, "set-user-ID"), ("setgid", "#!/bin/sh\n", 0o2755, "set-group-ID"),
            ("data", "data\n", 0o755, "neither an ELF program nor a script"),
            ("closed", "#!/bin/sh\n", 0o644, "nobody may execute it"),
            ("ld-linux-x86-64.so.2", "#!/bin/sh\n", 0o755, "loader"),
        ]
        for one in cases {
            let path = directory.path(one.name)
            try Files.replace(path, with: Array(one.content.utf8))
            try Files.setPermissions(path, one.mode)
            let problem = #expect(throws: ShiftProblem.self) { try mount("one", path) }
            #expect(problem?.description.contains(one.reason) == true, "\(problem?.description ?? "")")
        }
        #expect(throws: ShiftProblem.self) { try mount("one", directory.path) }
        #expect(throws: ShiftProblem.self) { try mount("one", directory.path("nothing")) }
        #expect(try Mountinfo.ofThisProcess().filter { $0.mountPoint.hasPrefix(directory.path) } == [])
    }

    @Test func `other names of a file are remarked`() async throws {
        let program = try copy()
        _ = try await CommandRunner.run(["ln", program, directory.path("second")])
        #expect(try ProgramFile.examine(program).remarks.contains { $0.contains("2 names") })
    }

    @Test(arguments: [
        "/usr/bin/jq", "/opt/x y/prog name", "/usr/bin/[", "/a/verylongnameofaprogramthatnobodywouldtype",
    ])
    func `a shift's name fits into a shim`(path: String) {
        let id = ProgramMounts.id(of: path)
        #expect(id.utf8.count <= 27)
        #expect(id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._+".contains($0)) })
    }
}
