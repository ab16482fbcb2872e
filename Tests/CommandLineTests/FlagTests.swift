import Testing

@testable import CommandLine

@Suite struct FlagTests {
    private func variables(
        files: [(path: String, text: String)] = [], _ flags: [String], own: [String: String] = [:]
    ) throws -> [String] {
        try EnvironmentFlags.variables(files: files, flags: flags, own: { own[$0] })
    }

    @Test func `variables are passed in the order in which they were named`() throws {
        #expect(try variables(["B=2", "A=1", "C=", "D=a=b"]) == ["B=2", "A=1", "C=", "D=a=b"])
    }

    @Test func `a name alone passes our own variable on, or nothing when we have none`() throws {
        #expect(try variables(["HOME", "NONE"], own: ["HOME": "/root"]) == ["HOME=/root"])
    }

    @Test func `what comes later replaces what came before, files before flags`() throws {
        let files = [(path: "a", text: "X=1\nY=1\n"), (path: "b", text: "X=2")]
        #expect(try variables(files: files, ["Y=3", "Z=4", "Z=5"]) == ["X=2", "Y=3", "Z=5"])
    }

    @Test func `a file of variables may have comments, blank lines and names alone`() throws {
        let text = "# comment\n\n  A=1 \r\nHOME\n\tB=\"quoted\"\n"
        #expect(try variables(files: [("f", text)], [], own: ["HOME": "/h"]) == ["A=1 ", "HOME=/h", "B=\"quoted\""])
    }

    @Test(arguments: ["", "=x", "A B=1"])
    func `a variable without a proper name is refused`(flag: String) {
        #expect(throws: FlagError.self) { try variables([flag]) }
    }

    @Test func `an error in a file names its line`() {
        let error = #expect(throws: FlagError.self) { try variables(files: [("vars", "A=1\n=2\n")], []) }
        #expect(error?.description.hasPrefix("--env-file vars, line 2: =2: the name is empty") == true)
    }

    @Test(arguments: [
        ("nofile=1024", UlimitFlag(name: "nofile", soft: 1024, hard: 1024)),
        ("nofile=1024:2048", UlimitFlag(name: "nofile", soft: 1024, hard: 2048)),
        ("core=0", UlimitFlag(name: "core", soft: 0, hard: 0)),
        ("core=-1", UlimitFlag(name: "core", soft: nil, hard: nil)),
        ("stack=8192:unlimited", UlimitFlag(name: "stack", soft: 8192, hard: nil)),
    ])
    func `limits are read as Docker reads them`(text: String, limit: UlimitFlag) throws {
        #expect(try UlimitFlag.parse(text) == limit)
    }

    @Test(arguments: ["", "nofile", "nofile=", "files=1", "nofile=2:1", "nofile=1:2:3", "nofile=-2", "nofile=-1:5", "nofile=1k"])
    func `a limit that makes no sense is refused`(text: String) {
        #expect(throws: FlagError.self) { try UlimitFlag.parse(text) }
    }

    @Test(arguments: [
        ("seccomp=unconfined", SecurityFlag.withoutSystemCallFilter), ("seccomp:unconfined", .withoutSystemCallFilter),
        ("no-new-privileges", .noNewPrivileges(true)), ("no-new-privileges=false", .noNewPrivileges(false)),
        ("no-new-privileges:true", .noNewPrivileges(true)),
    ])
    func `security options are the two that exist`(text: String, flag: SecurityFlag) throws {
        #expect(try SecurityFlag.parse(text) == flag)
    }

    @Test(arguments: ["", "seccomp", "seccomp=profile.json", "apparmor=unconfined", "label=disable", "no-new-privileges=maybe"])
    func `other security options are refused`(text: String) {
        #expect(throws: FlagError.self) { try SecurityFlag.parse(text) }
    }

    @Test func `labels have names and perhaps values, and the last of a name counts`() throws {
        #expect(try LabelFlags.labels(["a=1", "b", "c=x=y", "a=2"]) == ["a": "2", "b": "", "c": "x=y"])
        #expect(throws: FlagError.self) { try LabelFlags.labels(["=1"]) }
    }

    @Test(arguments: [("TERM", 15), ("SIGTERM", 15), ("sigint", 2), ("9", 9)])
    func `signals have names and numbers`(text: String, number: Int32) throws {
        #expect(try SignalFlag.parse(text, flag: "--stop-signal") == number)
    }

    @Test(arguments: ["", "0", "65", "NOPE", "-9"])
    func `what is no signal is refused`(text: String) {
        #expect(throws: FlagError.self) { try SignalFlag.parse(text, flag: "--stop-signal") }
    }
}
