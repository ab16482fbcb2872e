import Engine
import Linux
import Testing

@testable import CommandLine

@Suite struct OutcomeTests {
    private func end(_ status: Int32?, outOfMemory: Bool = false, lost: Bool = false) -> ContainerEnd {
        ContainerEnd(
            exitStatus: status, endedAt: Timestamp(nanoseconds: 0), outOfMemory: outOfMemory, keeperLost: lost)
    }

    @Test func `the program's status is ours`() {
        for status: Int32 in [0, 1, 42, 143, 255] { #expect(EndReport.status(end(status)) == status) }
        #expect(EndReport.remark(end(1), name: "c") == nil)
    }

    @Test func `an end that nobody knows is our own failure, and said`() {
        #expect(EndReport.status(end(nil, lost: true)) == 125)
        #expect(EndReport.remark(end(nil, lost: true), name: "c") == "c: the keeper died, so nobody knows how the program ended")
    }

    @Test func `a program out of memory says what to give it`() {
        #expect(EndReport.remark(end(137, outOfMemory: true), name: "c")?.contains("--memory") == true)
    }

    @Test(arguments: NodeFailure.Kind.allCases)
    func `a start that failed has Docker's status`(kind: NodeFailure.Kind) {
        let expected: Int32 = kind == .notFound ? 127 : kind == .notExecutable ? 126 : 125
        #expect(ExitCodes.start(NodeFailure(kind, "")) == expected)
    }

    @Test func `lines of a log are the bytes that were written`() {
        var text = LogText(showsTimes: false)
        let line = LogLine(time: Timestamp(nanoseconds: 0), stream: .stdout, content: [0xFF, 65], isComplete: true)
        #expect(text.bytes(of: line) == [0xFF, 65, 10])
    }

    @Test func `a line that was not ended is not ended here`() {
        var text = LogText(showsTimes: true)
        let time = Timestamp(nanoseconds: 0)
        func bytes(_ content: String, _ isComplete: Bool, _ stream: LogLine.Stream = .stdout) -> String {
            String(
                decoding: text.bytes(
                    of: LogLine(time: time, stream: stream, content: Array(content.utf8), isComplete: isComplete)),
                as: UTF8.self)
        }
        #expect(bytes("a", false) == "\(time) a")
        #expect(bytes("e", true, .stderr) == "\(time) e\n")
        #expect(bytes("b", true) == "b\n")
        #expect(bytes("c", true) == "\(time) c\n")
    }

    @Test func `directories come from flags, then our variables, then the machine or the user`() throws {
        func directories(
            _ state: String?, _ run: String?, isRoot: Bool, _ variables: [String: String] = [:]
        ) throws -> NodeDirectories {
            try NodeDirectories(state: state, run: run, isRoot: isRoot, variable: { variables[$0] })
        }
        let variables = ["FORKLESS_STATE": "/vs", "FORKLESS_RUN": "/vr", "HOME": "/h", "XDG_RUNTIME_DIR": "/run/user/7"]
        #expect(try directories("/s", "/r", isRoot: true, variables).state == "/s")
        #expect(try directories(nil, nil, isRoot: true, variables).nodeSocket == "/vr/node.sock")
        #expect(try directories(nil, nil, isRoot: true).state == "/var/lib/forkless")
        #expect(try directories(nil, nil, isRoot: true, ["FORKLESS_RUN": ""]).run == "/run/forkless")
        let ofUser = try directories(nil, nil, isRoot: false, ["HOME": "/h", "XDG_RUNTIME_DIR": "/run/user/7"])
        #expect(ofUser.state == "/h/.local/share/forkless")
        #expect(ofUser.run == "/run/user/7/forkless")
        #expect(throws: FlagError.self) { try directories(nil, nil, isRoot: false) }
        #expect(throws: FlagError.self) { try directories("", nil, isRoot: true) }
    }

    @Test func `a time is given as such or as how long ago`() throws {
        let now = Timestamp(nanoseconds: 10_000_000_000_000)
        #expect(try TimeFlag.parse("1h30m", flag: "--since", now: now).nanoseconds == 10_000_000_000_000 - 5_400_000_000_000)
        #expect(try TimeFlag.parse("5.25", flag: "--since", now: now).nanoseconds == 5_250_000_000)
        #expect(try TimeFlag.parse("1970-01-01T00:00:05Z", flag: "--since", now: now).nanoseconds == 5_000_000_000)
        for text in ["", "1.2.3", "m", "-5m", "1y", "yesterday", "10000000h"] {
            #expect(throws: FlagError.self) { try TimeFlag.parse(text, flag: "--since", now: now) }
        }
    }

    @Test func `a tail is a number of lines or all of them`() throws {
        #expect(try TailFlag.parse("10") == 10)
        #expect(try TailFlag.parse("0") == 0)
        #expect(try TailFlag.parse("all") == nil)
        #expect(throws: FlagError.self) { try TailFlag.parse("-1") }
        #expect(throws: FlagError.self) { try TailFlag.parse("") }
    }
}
