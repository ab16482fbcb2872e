import Engine
import Glibc
import Linux
import TestKit
import Testing

/// Programs and users are looked for inside the root, as the program itself would.
@Suite struct ProgramSearchTests {
    let files: TemporaryDirectory

    init() throws {
        files = try TemporaryDirectory("search")
        try files.write("#!/bin/sh\n", to: "root/usr/bin/tool", mode: 0o755)
        try files.write("text", to: "root/usr/bin/text", mode: 0o644)
        try files.write("risk:x:7:8:Risk:/home/risk:/bin/sh\n", to: "root/etc/passwd")
        try files.write("desk:x:9:risk\n", to: "root/etc/group")
        symlink("usr/bin", files.path("root/bin"))
        symlink("/../../../../etc/shadow", files.path("root/usr/bin/outside"))
        symlink("loop", files.path("root/usr/bin/loop"))
    }

    private func gather(_ change: (inout ContainerSpec) -> Void) throws -> LaunchFindings {
        var spec = ContainerSpec(program: "tool")
        spec.root = .directory(files.path("root"))
        change(&spec)
        return try LaunchFindings.gather(for: spec)
    }

    private func failure(_ change: (inout ContainerSpec) -> Void) -> NodeFailure? {
        #expect(throws: NodeFailure.self) { try gather(change) }
    }

    @Test func `a name is looked up on the program's own PATH`() throws {
        #expect(try gather { _ in }.program == FoundProgram(path: "/usr/bin/tool", realPath: "/usr/bin/tool"))
        #expect(try gather { $0.environment = ["PATH=/nowhere:/bin"] }.program.path == "/bin/tool")
        #expect(try gather { $0.environment = ["PATH=/nowhere:/bin"] }.program.realPath == "/usr/bin/tool")
    }

    @Test func `a path is taken as it is, a relative one from the working directory`() throws {
        #expect(try gather { $0.program = "/bin/tool" }.program.path == "/bin/tool")
        let relative = try gather {
            $0.program = "bin/tool"
            $0.directory = "/usr"
        }
        #expect(relative.program.path == "/usr/bin/tool")
    }

    @Test func `what is not there, is no program, or leads nowhere says so`() {
        #expect(failure { $0.program = "nothing" }?.kind == .notFound)
        #expect(failure { $0.program = "/nothing" }?.kind == .notFound)
        #expect(failure { $0.program = "/usr/bin/loop" }?.kind == .notFound)
        #expect(failure { $0.program = "/usr" }?.kind == .notExecutable)
        #expect(failure { $0.program = "text" }?.kind == .notExecutable)
        #expect(failure { $0.program = "/usr/bin/text" }?.kind == .notExecutable)
    }

    @Test func `a link out of the root stays inside`() {
        // The machine has an /etc/shadow, the root has none.
        #expect(failure { $0.program = "/usr/bin/outside" }?.kind == .notFound)
    }

    @Test func `a root that is missing or a symbolic link is refused`() throws {
        symlink("root", files.path("link"))
        #expect(failure { $0.root = .directory(files.path("none")) }?.message.contains("--root") == true)
        #expect(failure { $0.root = .directory(files.path("link")) }?.message.contains("symbolic link") == true)
        #expect(failure { $0.root = .directory(files.path("root/etc/passwd")) }?.kind == .badRequest)
    }

    @Test func `users are those of the root`() throws {
        let risk = try gather { $0.user = "risk" }.identity
        #expect(risk == Users.Identity(uid: 7, gid: 8, groups: [9], home: "/home/risk"))
        #expect(try gather { $0.user = "7:desk" }.identity.gid == 9)
        #expect(failure { $0.user = "daemon" }?.message.contains("-u \"daemon\"") == true)
    }

    @Test func `a bind covers what the root has, and its source must exist`() throws {
        try files.write("x", to: "own/tool", mode: 0o755)
        let found = try gather {
            $0.mounts = [.bind(source: files.path("own"), target: "/opt/own", isReadOnly: true)]
            $0.program = "/opt/own/tool"
        }
        #expect(found.program.path == "/opt/own/tool")
        #expect(failure { $0.mounts = [.bind(source: "/no/such", target: "/x", isReadOnly: true)] }?.message.contains("-v") == true)
        let covered = failure {
            $0.mounts = [.temporary(target: "/usr", bytes: nil)]
            $0.program = "/usr/bin/tool"
        }
        #expect(covered?.kind == .notFound)
    }

    @Test func `stacked directories are seen as overlayfs shows them`() throws {
        try files.write("x", to: "upper/usr/bin/more", mode: 0o755)
        func overlay(_ program: String) throws -> FoundProgram {
            try gather {
                $0.root = .overlay(lower: [files.path("upper"), files.path("root")], upper: nil, work: nil)
                $0.program = program
            }.program
        }
        #expect(try overlay("tool").path == "/usr/bin/tool")
        // The link is in the lower directory, what it leads to in the upper one.
        #expect(try overlay("/bin/more").realPath == "/usr/bin/more")
        if isRoot {
            mknod(files.path("upper/usr/bin/tool"), mode_t(S_IFCHR), 0)
            #expect(throws: NodeFailure.self) { try overlay("/usr/bin/tool") }
        }
    }
}
