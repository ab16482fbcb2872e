import ArgumentParser
import Engine
import Testing

@testable import CommandLine

/// What the word after the flags of `run` means.
@Suite struct LaunchWordTests {
    private func word(_ arguments: String...) throws -> LaunchWord {
        let command = try #require(try ForklessCommand.parseAsRoot(["run"] + arguments) as? RunCommand)
        var spec = try ProgramWords(command.command, verb: "run").spec()
        try command.held.write(to: &spec)
        return try LaunchWord(spec.program, place: command.place, rung: spec.rung, image: command.image)
    }

    @Test func `names with a tag, a host or a digest are images`() throws {
        for name in ["alpine:3", "team/app", "localhost:5000/app", "app@sha256:\(String(repeating: "0", count: 64))"] {
            #expect(try word(name) == .image, "\(name)")
        }
        #expect(try word("--entrypoint", "sh", "app") == .image)
        #expect(try word("--pull", "never", "app") == .image)
    }

    @Test func `paths are programs, and so is everything with a root or a rung that has no image`() throws {
        for path in ["/bin/ls", "./tool", "../tool", "/a:b"] { #expect(try word(path) == .program, "\(path)") }
        #expect(try word("--root", "host", "alpine:3") == .program)
        #expect(try word("--overlay", "/a:/b", "team/app") == .program)
        #expect(try word("--rung", "process", "app:1") == .program)
        #expect(try word("app") == .bare)
        #expect(throws: FlagError.self) { try word("--root", "host", "--entrypoint", "sh", "ls") }
    }

    @Test func `a bare word is what there is of its name`() throws {
        #expect(try LaunchWord.choose("x", isImage: true, isProgram: false) == .image)
        #expect(try LaunchWord.choose("x", isImage: false, isProgram: true) == .program)
        #expect(try LaunchWord.choose("x", isImage: false, isProgram: false) == .image)
        let failure = #expect(throws: CommandFailure.self) {
            try LaunchWord.choose("x", isImage: true, isProgram: true)
        }
        #expect(failure?.description.contains("x:latest") == true && failure?.description.contains("--root host x") == true)
        #expect(LaunchWord.isProgram("sh", environment: []) && !LaunchWord.isProgram("no-such-program", environment: []))
        #expect(!LaunchWord.isProgram("sh", environment: ["PATH=/nowhere"]))
    }

    @Test func `the words behind an image are its command, and the entrypoint is taken apart from it`() {
        var spec = ContainerSpec(program: "app:1", arguments: ["a", "b"])
        spec.takeImage(entrypoint: nil)
        #expect(spec.image == ContainerImage("app:1") && spec.program == "a" && spec.arguments == ["b"])
        #expect(spec.entrypoint == nil)
        spec = ContainerSpec(program: "app")
        spec.takeImage(entrypoint: "")
        #expect(spec.program.isEmpty && spec.entrypoint == [])
    }
}
