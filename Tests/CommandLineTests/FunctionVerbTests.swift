import ArgumentParser
import Deploying
import HTTPServing
import JSON
import Lambda
import Testing

@testable import CommandLine

@Suite struct FunctionVerbTests {
    private func declaration(_ arguments: [String], program: [String] = []) throws -> FunctionDeclaration {
        var function = FunctionDeclaration(name: "f")
        let code = arguments.filter { !$0.isEmpty }
        try FunctionCodeFlags.parse([]).write(into: &function, program: program, directory: "/w")
        try FunctionSettingFlags.parse(code).write(into: &function)
        return function
    }

    private func code(_ arguments: [String], program: [String] = []) throws -> FunctionDeclaration {
        var function = FunctionDeclaration(name: "f")
        try FunctionCodeFlags.parse(arguments).write(into: &function, program: program, directory: "/w")
        return function
    }

    @Test func `without flags nothing is asked for`() throws {
        #expect(try declaration([]) == FunctionDeclaration(name: "f"))
    }

    @Test func `flags become settings of the API, and what Lambda lacks becomes tags`() throws {
        let function = try declaration([
            "--memory", "1g", "--timeout", "9", "-e", "A=b=c", "--tmp", "600", "--mount", "/data:/mnt/data", "--tag", "team=fx",
            "--key", "path:$.id", "--freshness", "concurrent:4", "--record", "--reserved", "3",
        ])
        #expect(function.configuration["MemorySize"] == 1024)
        #expect(function.configuration["EphemeralStorage"] == ["Size": 600])
        #expect(function.configuration["FileSystemConfigs"] == [["Arn": "arn:forkless:directory:::/data", "LocalMountPath": "/mnt/data"]])
        #expect(function.environment == ["A": TemplateText("b=c")])
        #expect(function.tags == ["team": "fx", "forkless:key": "path:$.id", "forkless:freshness": "concurrent:4", "forkless:record": "on"])
        #expect(function.keepsOtherTags)
        #expect(function.reserved == .value(3))
        #expect(try declaration(["--reserved", "none"]).reserved == .absent)
    }

    @Test func `a program after two dashes is a stdio function, its words quoted`() throws {
        let function = try code([], program: ["sh", "-c", "echo 'a b'"])
        #expect(function.configuration["Runtime"] == "forkless.stdio")
        #expect(function.configuration["Handler"] == .string(#"sh -c 'echo '\''a b'\'''"#))
        #expect(try code(["--code", "dir"], program: ["./run"]).code == .path("/w/dir"))
        #expect(throws: FlagError.self) { try code(["--runtime", "provided"], program: ["x"]) }
    }

    @Test func `two dashes end the flags of a deployment`() throws {
        guard case .verb(let verb as FnDeployCommand) = Invocation.parse(["fn", "deploy", "count", "--timeout", "5", "--", "wc", "-w", "--help"]) else {
            Issue.record("it is no deployment")
            return
        }
        #expect(verb.name == "count" && verb.program == ["wc", "-w", "--help"] && verb.settings.timeout == 5)
    }

    @Test(arguments: [
        ["--memory", "lots"], ["--memory", "1000000"], ["--mount", "data:/mnt/x"], ["--mount", "/data:/srv"], ["--tag", "x"], ["--reserved=-1"],
        ["--env", "=x"],
    ])
    func `a flag that makes no sense is refused`(arguments: [String]) throws {
        guard arguments != ["--memory", "1000000"] else { return #expect(try declaration(arguments).configuration["MemorySize"] == 1_000_000) }
        #expect(throws: FlagError.self) { try declaration(arguments) }
    }

    @Test(arguments: ["--key", "--order", "--freshness", "--start", "--input", "--deadline-header"])
    func `a setting without a value is refused, not left out`(flag: String) throws {
        var function = FunctionDeclaration(name: "f")
        let flags = try FunctionSettingFlags.parse([flag, ""])
        let error = #expect(throws: FlagError.self) { try flags.write(into: &function) }
        #expect(error?.description.contains(flag) == true)
    }

    @Test func `functions are listed with the sum of their versions' instances`() {
        let listing = FunctionListing(
            functions: [
                ["FunctionName": "a", "Runtime": "python3.11", "Handler": "a.b", "MemorySize": 128, "LastModified": "2026-11-29T04:12:17.000+0000"],
                ["FunctionName": "b", "PackageType": "Image", "MemorySize": 512, "LastModified": ""],
            ],
            pools: [
                ["FunctionName": "a", "Idle": 1, "Busy": 2, "Calls": 1500, "Launched": 3],
                ["FunctionName": "a", "Idle": 1, "Busy": 0, "Calls": 1, "Launched": 1],
            ]
        ).listing
        #expect(listing.rows == [
            ["a", "python3.11", "a.b", "128 MiB", "2", "2", "1,501", "4", "2026-11-29 04:12:17"],
            ["b", "image", "", "512 MiB", "0", "0", "0", "0", ""],
        ])
    }

    @Test func `lines of a log are put together from any parts`() {
        let log = "2026-11-29T04:00:00.000000001Z stdout F START\n2026-11-29T04:00:00.000000002Z stderr P one \n2026-11-29T04:00:00.000000003Z stderr F two\n"
        for size in [1, 7, 1000] {
            var lines = FunctionLogLines(format: .text, showsTimes: false)
            var shown: [UInt8] = []
            let bytes = Array(log.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) { shown += lines.take(Array(bytes[start..<min(start + size, bytes.count)])) }
            shown += lines.end()
            #expect(String(decoding: shown, as: UTF8.self) == "START\none two\n")
        }
        var timed = FunctionLogLines(format: .text, showsTimes: true)
        #expect(String(decoding: timed.take(Array(log.utf8)), as: UTF8.self).split(separator: "\n").count == 2)
        var json = FunctionLogLines(format: .json, showsTimes: false)
        let first = String(decoding: json.take(Array(log.utf8)), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        #expect(first == #"{"time":"2026-11-29T04:00:00.000000001Z","stream":"stdout","text":"START","isComplete":true}"#)
    }

    @Test func `an error of the API is a sentence with its name`() {
        let failure = LambdaClient.failure(
            404, HeaderFields([("x-amzn-ErrorType", "ResourceNotFoundException:http://x")]), Array(#"{"Message":"no such function"}"#.utf8))
        #expect(failure.sentence == "no such function (ResourceNotFoundException)")
        let queue = LambdaClient.failure(400, HeaderFields(), Array(##"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}"##.utf8))
        #expect(queue.name == "QueueDoesNotExist")
    }
}
