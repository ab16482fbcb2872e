@testable import Catalog
import JSON
import Lambda
import Linux
import TestKit
import Testing

/// Functions, their code and configuration.
struct FunctionTests {
    @Test func `a function is there as soon as it is created, with the service's defaults`() async throws {
        let test = try await TestCatalog()
        let zip = TestZip(files: ["app.py": "1"]).bytes
        let made = try await test.create("echo", ["Description": "says it again"])
        #expect(made["FunctionArn"]?.string == "arn:aws:lambda:us-east-1:000000000000:function:echo")
        #expect(made["CodeSha256"]?.string == CodeShelf.names(zip).digest)
        #expect(made["CodeSize"]?.integer == Int64(zip.count))
        #expect(made["Version"]?.string == "$LATEST")
        #expect(made["State"]?.string == "Active" && made["LastUpdateStatus"]?.string == "Successful")
        #expect(made["Timeout"]?.integer == 3 && made["MemorySize"]?.integer == 128)
        #expect(made["EphemeralStorage"]?["Size"]?.integer == 512)
        #expect(made["TracingConfig"]?["Mode"]?.string == "PassThrough")
        #expect(made["LoggingConfig"]?["LogGroup"]?.string == "/aws/lambda/echo")
        #expect(made["Architectures"] == ["x86_64"])
        #expect(made["PackageType"]?.string == "Zip")
        #expect(made["RevisionId"]?.string.map { TextPattern.uuid.accepts($0) } == true)
        let modified = try #require(made["LastModified"]?.string)
        #expect(modified.utf8.count == 28 && modified.hasSuffix("+0000") && modified.dropFirst(10).first == "T", "\(modified)")
        #expect(try await test.on("echo", .getFunctionConfiguration) == made)
        let got = try await test.on("echo", .getFunction)
        #expect(got["Configuration"] == made)
        #expect(got["Tags"] == nil && got["Concurrency"] == nil)
    }

    @Test func `the code is unpacked where an instance finds it`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", code: "print(1)")
        let function = try test.catalog.resolve("echo", chance: 0).function
        #expect(function.runtime == .python("python3.11") && function.handler == "app.handler")
        #expect(function.settings.start == .zygote)
        #expect(try Files.readText(try #require(function.codeDirectory) + "/app.py") == "print(1)")
    }

    @Test func `the code can be fetched by whoever was told where`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        let got = try await test.on("echo", .getFunction)
        let location = try #require(got["Code"]?["Location"]?.string)
        let parts = location.split(separator: "?")
        let path = String(parts[0].dropFirst("http://127.0.0.1:3001".utf8.count))
        let ticket = String(parts[1].dropFirst("ticket=".utf8.count))
        let file = try #require(test.catalog.archive(path: path, ticket: ticket))
        #expect(try Files.read(file) == TestZip(files: ["app.py": "1"]).bytes)
        #expect(test.catalog.archive(path: path, ticket: nil) == nil)
        #expect(test.catalog.archive(path: path, ticket: String(ticket.reversed())) == nil)
        #expect(test.catalog.archive(path: path + "0", ticket: ticket) == nil)
    }

    @Test func `a name that is taken is a conflict, and one that is not there is not found`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        let conflict = await test.failure(.createFunction, [:], TestCatalog.request("echo", code: "2"))
        #expect(conflict.name == "ResourceConflictException" && conflict.status == 409)
        #expect(conflict.message == "Function already exist: echo")
        for operation in [LambdaOperation.getFunction, .getFunctionConfiguration, .deleteFunction, .publishVersion, .listAliases] {
            let failure = await test.failure(on: "other", operation)
            #expect(failure.name == "ResourceNotFoundException" && failure.status == 404)
            #expect(failure.message == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:other")
        }
        #expect(throws: LambdaFailure.self) { try test.catalog.resolve("other", chance: 0) }
    }

    @Test func `an update changes the revision, and an old revision is refused`() async throws {
        let test = try await TestCatalog()
        let first = try await test.create("echo")
        let before = try test.catalog.resolve("echo", chance: 0).function
        let second = try await test.on(
            "echo", .updateFunctionConfiguration, ["Timeout": 10, "Environment": ["Variables": ["KEY": "value"]], "RevisionId": first["RevisionId"]!])
        #expect(second["Timeout"]?.integer == 10 && second["RevisionId"] != first["RevisionId"])
        #expect(second["Environment"] == ["Variables": ["KEY": "value"]])
        let failure = await test.failure(on: "echo", .updateFunctionConfiguration, ["Timeout": 20, "RevisionId": first["RevisionId"]!])
        #expect(failure.name == "PreconditionFailedException" && failure.status == 412)
        let after = try test.catalog.resolve("echo", chance: 0).function
        #expect(after.revision != before.revision && after.timeoutSeconds == 10 && after.environment == ["KEY": "value"])
        // What is not named stays.
        let third = try await test.on("echo", .updateFunctionConfiguration, ["MemorySize": 256])
        #expect(third["Timeout"]?.integer == 10 && third["Environment"] == second["Environment"])
        #expect(try await test.on("echo", .updateFunctionConfiguration, ["Environment": ["Variables": [:]]])["Environment"] == nil)
    }

    @Test func `new code is another digest, and a dry run changes nothing`() async throws {
        let test = try await TestCatalog()
        let first = try await test.create("echo")
        let dry = try await test.on("echo", .updateFunctionCode, ["ZipFile": TestCatalog.zip("2"), "DryRun": true])
        #expect(dry["CodeSha256"] != first["CodeSha256"])
        #expect(try await test.on("echo", .getFunctionConfiguration) == first)
        let second = try await test.on("echo", .updateFunctionCode, ["ZipFile": TestCatalog.zip("2"), "Publish": true])
        #expect(second["CodeSha256"] == dry["CodeSha256"] && second["Version"]?.string == "1")
        #expect(try test.catalog.resolve("echo", chance: 0).function.codeDigest == second["CodeSha256"]?.string)
    }

    @Test func `a list has fifty functions on a page, in order, each once`() async throws {
        let test = try await TestCatalog()
        for number in 0..<120 { try await test.create("f\(number)") }
        var names: [String] = []
        var marker: String?
        var pages = 0
        repeat {
            var query = [(name: "MaxItems", value: "1000")]
            if let marker { query.append((name: "Marker", value: marker)) }
            let page = try await test.perform(.listFunctions, query: query)
            names += page["Functions"]!.array!.compactMap { $0["FunctionName"]?.string }
            marker = page["NextMarker"]?.string
            pages += 1
        } while marker != nil
        #expect(pages == 3 && names == (0..<120).map { "f\($0)" }.sorted())
        let few = try await test.perform(.listFunctions, query: [(name: "MaxItems", value: "7")])
        #expect(few["Functions"]?.array?.count == 7)
        for query in [("Marker", "!"), ("MaxItems", "0"), ("MaxItems", "10001"), ("MaxItems", "x"), ("FunctionVersion", "1"), ("Foo", "1")] {
            #expect(await test.failure(.listFunctions, query: [(name: query.0, value: query.1)]).status == 400, "\(query)")
        }
    }

    @Test func `a deleted function is gone with everything that belongs to it`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        try await test.on("echo", .createAlias, ["Name": "live", "FunctionVersion": "1"])
        try await test.on("echo", .createFunctionURLConfig, ["AuthType": "NONE"])
        try await test.on("echo", .deleteFunction)
        #expect(throws: LambdaFailure.self) { try test.catalog.resolve("echo:live", chance: 0) }
        #expect(test.catalog.functions().isEmpty && test.catalog.functionURLs().isEmpty)
        let again = try await test.create("echo", ["Publish": true])
        #expect(again["Version"]?.string == "1", "numbers begin again")
    }

    @Test func `images are resolved once, and kept as long as a version refers to them`() async throws {
        let images = FakeImages()
        let test = try await TestCatalog(images: images)
        let body: JSONValue = [
            "FunctionName": "boxed", "Role": TestCatalog.role.json, "PackageType": "Image", "Code": ["ImageUri": "app:1"],
            "ImageConfig": ["Command": ["serve"], "EntryPoint": []],
        ]
        let made = try await test.perform(.createFunction, [:], body)
        #expect(made["PackageType"]?.string == "Image" && made["Runtime"] == nil && made["Handler"] == nil)
        #expect(made["ImageConfigResponse"] == ["ImageConfig": ["Command": ["serve"]]])
        let code = try await test.on("boxed", .getFunction)["Code"]
        #expect(code?["ImageUri"]?.string == "app:1" && code?["ResolvedImageUri"]?.string == "app@sha256:d-app:1")
        let function = try test.catalog.resolve("boxed", chance: 0).function
        #expect(function.runtime == .image(id: "sha256:i-app:1", entryPoint: nil, command: ["serve"], workingDirectory: nil))
        #expect(images.held == ["sha256:i-app:1"])
        try await test.on("boxed", .updateFunctionCode, ["ImageUri": "app:2"])
        #expect(images.held == ["sha256:i-app:2"])
        #expect(await test.failure(on: "boxed", .updateFunctionCode, ["ZipFile": TestCatalog.zip("1")]).status == 400)
        #expect(await test.failure(on: "boxed", .updateFunctionCode, ["ImageUri": "none"]).status == 400)
        #expect(await test.failure(on: "boxed", .updateFunctionConfiguration, ["Handler": "a.b"]).status == 400)
        try await test.on("boxed", .deleteFunction)
        #expect(images.held == [])
    }
}
