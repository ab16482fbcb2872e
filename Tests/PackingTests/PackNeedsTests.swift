import Linux
import TestKit
import Testing

@testable import Observation
@testable import Packing

@Suite struct PackNeedsTests {
    private func needs(_ tree: SmallTree, _ request: PackRequest) throws -> PackNeeds {
        try NeedsReader(tree, DebianDatabase(tree)).needs(of: request)
    }

    /// What a script with /bin/sh stands on: the interpreter is a static program of this machine's form.
    private var shell: SmallTree {
        var tree = SmallTree(["/opt/job": "#!/bin/sh\necho\n"], links: ["/bin": "usr/bin", "/usr/bin/sh": "dash"])
        tree.files["/usr/bin/dash"] = Self.staticProgram
        return tree
    }

    /// A 64-bit ELF header without segments.
    static let staticProgram: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes.replaceSubrange(0..<7, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1])
        bytes[18] = 62
        return bytes
    }()

    @Test func `a script brings its interpreter, and every link on the way`() throws {
        let found = try needs(shell, PackRequest(program: "/opt/job"))
        #expect(found.paths == ["/opt/job", "/usr/bin/dash"])
        #expect(found.links == ["/bin": "usr/bin", "/usr/bin/sh": "dash"])
        #expect(found.executables == ["/opt/job", "/bin/sh"])
        #expect(found.remarks.count == 1)
    }

    @Test func `alternatives and merged directories come as links`() throws {
        var tree = shell
        tree.files["/opt/job"] = Array("#!/usr/bin/env -S python3 -I\n".utf8)
        tree.files["/usr/bin/env"] = Self.staticProgram
        tree.files["/usr/bin/python3.11"] = Self.staticProgram
        tree.links["/usr/bin/python3"] = "python3.11"
        let found = try needs(tree, PackRequest(program: "/opt/job"))
        #expect(found.paths.contains("/usr/bin/python3.11") && found.paths.contains("/usr/bin/env"))
        #expect(found.links["/usr/bin/python3"] == "python3.11")
        #expect(found.executables == ["/opt/job", "/usr/bin/env", "/usr/bin/python3"])
    }

    @Test(arguments: [
        ("#!/usr/bin/env\n", "is not understood"), ("#!/usr/bin/env -i sh\n", "is not understood"),
        ("#!/usr/bin/env ruby\n", "its interpreter ruby is in none of"),
        ("#!/none/sh\n", "/none/sh: there is no such program"),
        ("hello\n", "neither an ELF program nor a script"), ("#!/opt/job\n", "more than the kernel follows"),
        ("\u{7F}ELF", "a damaged program"),
    ])
    func `what cannot be executed is refused`(_ text: String, _ says: String) {
        var tree = shell
        tree.files["/opt/job"] = Array(text.utf8)
        tree.files["/usr/bin/env"] = Self.staticProgram
        let failure = #expect(throws: PackFailure.self) { try needs(tree, PackRequest(program: "/opt/job")) }
        #expect(failure?.description.contains(says) == true, "\(failure?.description ?? "")")
    }

    @Test func `setuid programs, 32-bit programs and those that vanished are refused`() {
        var tree = shell
        tree.modes["/opt/job"] = 0o4755
        #expect(throws: PackFailure.self) { try needs(tree, PackRequest(program: "/opt/job")) }
        tree.modes["/opt/job"] = 0o644
        #expect(throws: PackFailure("/opt/job: it is not executable")) {
            try needs(tree, PackRequest(program: "/opt/job"))
        }
        var small = Self.staticProgram
        small[4] = 1
        tree.files["/opt/small"] = small
        let failure = #expect(throws: PackFailure.self) { try needs(tree, PackRequest(program: "/opt/small")) }
        #expect(failure?.description.contains("32-bit") == true)
        let gone = #expect(throws: PackFailure.self) { try needs(tree, PackRequest(program: "/opt/gone")) }
        #expect(gone?.description.contains("was it removed since it was recorded?") == true)
    }

    @Test func `what a call brings and leaves is not packed`() throws {
        var tree = shell
        for path in ["/etc/job.conf", "/data/input", "/var/lib/job/state", "/opt/name\nwith"] { tree.files[path] = [1] }
        var deep = DeepFacts()
        deep.files = [
            .init(path: "/etc/job.conf", actions: [.status, .read]), .init(path: "/data/input", actions: [.read]),
            .init(path: "/var/lib/job/state", actions: [.read, .write]),
            .init(path: "/proc/self/maps", actions: [.read]),
            .init(path: "/tmp/x", actions: [.create]), .init(path: "/etc/none", actions: [.missing]),
            .init(path: "/etc/vanished", actions: [.read]), .init(path: "/opt/name\nwith", actions: [.read]),
            .init(path: RecordedText.text([0x2F, 0xFF]), actions: [.read]),
        ]
        var recorded = RecordedProgram(.path("/opt/job"))
        recorded.deep = deep
        let found = try needs(tree, PackRequest(program: "/opt/job", recorded: recorded, inputs: ["/data/input"]))
        #expect(found.paths == ["/opt/job", "/usr/bin/dash", "/etc/job.conf", "/opt/name\nwith"])
        #expect(found.state == ["/var/lib/job/state"])
        #expect(found.remarks.count == 2)
        #expect(
            found.remarks.contains { $0.contains("/etc/vanished") }
                && found.remarks.contains { $0.contains("not UTF-8") })
    }

    @Test func `programs that it started come along`() throws {
        var tree = shell
        tree.files["/usr/bin/grep"] = Self.staticProgram
        var recorded = RecordedProgram(.path("/opt/job"))
        recorded.children = ["/bin/grep": 3, "/bin/gone": 1]
        recorded.deep = DeepFacts()
        let found = try needs(tree, PackRequest(program: "/opt/job", recorded: recorded))
        #expect(found.paths.contains("/usr/bin/grep"))
        #expect(found.remarks == ["/bin/gone, which it started, is not here any more"])
    }

    @Test func `the libraries of a real program are those that its loader says`() async throws {
        let found = try NeedsReader(MachineTree(), DebianDatabase()).needs(of: PackRequest(program: "/bin/ls"))
        let loader = try await CommandRunner.run(["ldd", "/bin/ls"])
        let said = loader.text.split(separator: "\n").compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("/") || $0.hasPrefix("\t/") }
        }
        #expect(said.count >= 3)
        for path in said {
            let real = try #require(try LinkWalk.follow(String(path.drop { $0 == "\t" }), in: MachineTree())?.path)
            #expect(found.paths.contains(real), "\(real)")
        }
    }
}
