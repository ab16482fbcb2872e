import Catalog
import JSON
import Lambda
import Testing

@testable import Daemon

/// Functions between objects and the catalogue, without either.
struct FunctionDeclarationTests {
    private let account = LambdaAccount()

    private func declaration(_ spec: JSONValue) -> FunctionDeclaration {
        FunctionDeclaration(spec: spec, name: "hello", account: account)
    }

    /// With everything that a spec can have.
    private let full: JSONValue = [
        "functionName": "hello", "description": "says it", "runtime": "python3.11", "handler": "app.handler",
        "memoryMB": 256, "timeoutSeconds": 9, "ephemeralMB": 600, "environment": ["A": "1", "B": ""],
        "layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"],
        "fileSystems": [["source": "/srv/data", "target": "/mnt/data"]],
        "deadLetter": "arn:aws:sqs:us-east-1:000000000000:dead",
        "logging": ["format": "JSON", "applicationLevel": "WARN", "group": "mine"], "tracing": true,
        "reservedConcurrency": 0, "freshness": "fresh", "start": "cold", "key": "header:Id", "keyExpirySeconds": 60,
        "recordPayloads": true, "eventInvoke": ["maximumRetries": 0, "onFailure": "arn:aws:sqs:us-east-1:000000000000:dead"],
        "url": ["authType": "NONE", "invokeMode": "BUFFERED"], "tags": ["team": "a"],
    ]

    @Test func `a function goes from the catalogue to an object and back without a change`() {
        let image: JSONValue = [
            "functionName": "hello", "image": "app:1", "memoryMB": 128, "timeoutSeconds": 3, "ephemeralMB": 512,
            "imageConfig": ["command": ["a"], "workingDirectory": "/w"],
        ]
        for spec in [full, image, ["runtime": "forkless.stdio", "handler": "wc -w", "input": "body"]] as [JSONValue] {
            let declared = declaration(spec)
            let shown = declared.spec(name: "hello")
            #expect(declaration(shown) == declared, "\(shown)")
        }
        #expect(declaration(full).spec(name: "hello") == full)
    }

    @Test func `what is declared already is not declared again`() {
        for spec in [full, ["runtime": "python3.11", "handler": "a.b"]] as [JSONValue] {
            let declared = declaration(spec)
            let change = FunctionChange("hello", to: declared, code: nil, from: declared, account: account)
            #expect(change.steps.isEmpty)
        }
    }

    @Test func `a change asks for what is different, and takes away first`() {
        let before = declaration(full)
        let after = declaration(["runtime": "python3.11", "handler": "app.handler", "freshness": "reuse", "url": ["authType": "AWS_IAM"]])
        let steps = FunctionChange("hello", to: after, code: .archive([1], field: "zip"), from: before, account: account).steps
        #expect(
            steps.map(\.request.operation) == [
                .updateFunctionCode, .untagResource, .updateFunctionConfiguration, .tagResource, .deleteFunctionConcurrency,
                .deleteFunctionEventInvokeConfig, .removePermission, .updateFunctionURLConfig,
            ])
        #expect(steps[2].request.input.body["Environment"] == ["Variables": [:]], "what is not named has its default")
        #expect(steps[3].request.input.body["Tags"] == ["forkless:freshness": "reuse"] && steps[3].field == "freshness")
    }

    @Test func `the field that is to blame is found by leaving one out`() {
        let change = FunctionChange("hello", to: declaration(full), code: .archive([1], field: "zip"), from: nil, account: account)
        func refusing(_ member: String) -> ([CatalogStep]) -> CatalogStepFailure? {
            { steps in
                let body = steps.last?.input.body ?? [:]
                guard body[member] == nil, body["Tags"]?[member] == nil else {
                    return CatalogStepFailure(index: steps.count - 1, failure: .invalidParameter("no"))
                }
                return member == "Runtime" ? CatalogStepFailure(index: 0, failure: .invalidParameter("it is missing")) : nil
            }
        }
        #expect(change.steps[0].request.operation == .createFunction && change.steps[1].request.operation == .tagResource)
        #expect(change.field(of: 0, "no", refusing("Layers")) == "layers")
        #expect(change.field(of: 0, "no", refusing("Runtime")) == "runtime")
        #expect(change.field(of: 0, "no", refusing("Role")) == nil)
        #expect(change.field(of: 1, "no", refusing("forkless:key")) == "key")
    }

    @Test func `code comes in one way, and the same files are the same archive`() throws {
        let files: JSONValue = ["files": ["b.py": "2", "a.py": "1", "bootstrap": "#!/bin/sh"]]
        let other: JSONValue = ["files": ["a.py": "1", "bootstrap": "#!/bin/sh", "b.py": "2"]]
        #expect(try FunctionCode.read(files) == FunctionCode.read(other))
        #expect(try FunctionCode.read(["runtime": "python3.11"]) == nil)
        #expect(try FunctionCode.read(["image": "a:1"]) == .image("a:1"))
        for spec in [["image": "a", "zip": "AAAA"], ["zip": "AAAA", "files": ["a": "b"]], ["zip": "#"]] as [JSONValue] {
            #expect(throws: FunctionCode.Problem.self) { try FunctionCode.read(spec) }
        }
    }
}
