@testable import Catalog
import JSON
import Lambda
import Linux
import TestKit
import Testing

/// Layers, tags, resource policies, and what this node says of runtimes.
struct LayerAndPolicyTests {
    private static let arn = "arn:aws:lambda:us-east-1:000000000000:layer:tools"

    @discardableResult
    private static func publish(_ test: TestCatalog, _ code: String = "1", _ more: JSONObject = [:]) async throws -> JSONValue {
        var body: JSONObject = ["Content": ["ZipFile": TestCatalog.zip(code)]]
        for member in more.members { body[member.key] = member.value }
        return try await test.perform(.publishLayerVersion, ["LayerName": "tools"], .object(body))
    }

    @Test func `layers are published, found, listed and deleted`() async throws {
        let test = try await TestCatalog()
        let first = try await Self.publish(test, "1", ["CompatibleRuntimes": ["python3.11"], "LicenseInfo": "MIT"])
        #expect(first["LayerVersionArn"]?.string == Self.arn + ":1" && first["Version"]?.integer == 1)
        let got = try await test.perform(.getLayerVersion, ["LayerName": Self.arn, "VersionNumber": "1"])
        #expect(got["CreatedDate"] == first["CreatedDate"] && got["LicenseInfo"]?.string == "MIT")
        #expect(try await test.perform(.getLayerVersionByARN, query: [(name: "find", value: "LayerVersion"), (name: "Arn", value: Self.arn + ":1")]) == got)
        try await Self.publish(test, "2")
        let versions = try await test.perform(.listLayerVersions, ["LayerName": "tools"])["LayerVersions"]!.array!
        #expect(versions.compactMap { $0["Version"]?.integer } == [2, 1])
        let layers = try await test.perform(.listLayers)["Layers"]!.array!
        #expect(layers.count == 1 && layers[0]["LatestMatchingVersion"]?["Version"]?.integer == 2)
        let matching = try await test.perform(.listLayers, query: [(name: "CompatibleRuntime", value: "python3.11")])["Layers"]!.array!
        #expect(matching[0]["LatestMatchingVersion"]?["Version"]?.integer == 1)
        for _ in 0..<2 { try await test.perform(.deleteLayerVersion, ["LayerName": "tools", "VersionNumber": "2"]) }
        #expect(await test.failure(.getLayerVersion, ["LayerName": "tools", "VersionNumber": "2"]).status == 404)
        #expect(try await Self.publish(test, "2")["Version"]?.integer == 3, "no number is given twice")
        for wrong in ["0", "01", "x", "-1"] {
            #expect(await test.failure(.getLayerVersion, ["LayerName": "tools", "VersionNumber": wrong]).status == 400)
        }
        #expect(await test.failure(.listLayerVersions, ["LayerName": "a/b"]).status == 400)
    }

    @Test func `a function keeps its layers, also when they are deleted`() async throws {
        let test = try await TestCatalog()
        try await Self.publish(test)
        let made = try await test.create("echo", code: "f", ["Layers": [.string(Self.arn + ":1")]])
        #expect(made["Layers"]?.array?.first?["Arn"]?.string == Self.arn + ":1")
        let directory = try #require(try test.catalog.resolve("echo", chance: 0).function.layerDirectories.first)
        try await test.perform(.deleteLayerVersion, ["LayerName": "tools", "VersionNumber": "1"])
        #expect(try Files.readText(directory + "/app.py") == "1")
        #expect(await test.failure(on: "echo", .updateFunctionConfiguration, ["Layers": [.string(Self.arn + ":1")]]).message.contains("does not exist"))
        try await test.on("echo", .updateFunctionConfiguration, ["Layers": []])
        try await eventually("the layer is gone") { !Files.exists(directory) }
    }

    @Test func `layers that a function cannot have are refused`() async throws {
        let test = try await TestCatalog()
        for _ in 0..<6 { try await Self.publish(test) }
        func create(_ layers: [String]) async -> LambdaFailure {
            await test.failure(.createFunction, [:], TestCatalog.request("echo", ["Layers": layers.json]))
        }
        #expect(await create([Self.arn + ":1", Self.arn + ":2"]).message.contains("Two different versions"))
        #expect(await create((1...6).map { "\(Self.arn):\($0)" }).message.contains("more than 5"))
        #expect(await create([Self.arn + ":9"]).message.contains("does not exist"))
        #expect(await create(["tools"]).status == 400)
    }

    @Test func `tags belong to functions and mappings`() async throws {
        let test = try await TestCatalog()
        let arn = try #require(try await test.create("echo", ["Tags": ["team": "pay"]])["FunctionArn"]?.string)
        let revision = try test.catalog.resolve("echo", chance: 0).function.revision
        try await test.perform(.tagResource, ["Resource": arn], ["Tags": ["stage": "test"]])
        #expect(try await test.perform(.listTags, ["Resource": arn]) == ["Tags": ["team": "pay", "stage": "test"]])
        #expect(try test.catalog.resolve("echo", chance: 0).function.revision == revision, "no deployment")
        try await test.perform(.tagResource, ["Resource": arn], ["Tags": ["forkless:key": "sdk"]])
        #expect(try test.catalog.resolve("echo", chance: 0).function.settings.key == .sdk)
        #expect(try test.catalog.resolve("echo", chance: 0).function.revision != revision)
        try await test.perform(.untagResource, ["Resource": arn], query: [(name: "tagKeys", value: "team"), (name: "tagKeys", value: "forkless:key")])
        #expect(try await test.on("echo", .getFunction)["Tags"] == ["stage": "test"])
        #expect(try test.catalog.resolve("echo", chance: 0).function.settings.key == nil)
        for tags in [["forkless:kee": "sdk"], ["aws:x": "1"], ["": "x"]] as [JSONValue] {
            #expect(await test.failure(.tagResource, ["Resource": arn], ["Tags": tags]).status == 400, "\(tags)")
        }
        #expect(await test.failure(.tagResource, ["Resource": arn + ":1"], ["Tags": ["a": "b"]]).status == 400)
        #expect(await test.failure(.listTags, ["Resource": "echo"]).status == 400)
        #expect(await test.failure(.listTags, ["Resource": arn + "x"]).status == 404)
        let many = Dictionary(uniqueKeysWithValues: (0..<51).map { ("k\($0)", "v") })
        #expect(await test.failure(.tagResource, ["Resource": arn], ["Tags": many.json]).message.contains("limit of 50"))
    }

    @Test func `policies are kept as the service writes them`() async throws {
        let test = try await TestCatalog()
        let made = try await test.create("echo")
        let body: JSONValue = [
            "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::bucket",
            "SourceAccount": "000000000000", "RevisionId": made["RevisionId"]!,
        ]
        let added = try await test.on("echo", .addPermission, body)
        let statement = try JSONParser.parse(try #require(added["Statement"]?.string))
        #expect(statement["Principal"] == ["Service": "s3.amazonaws.com"] && statement["Effect"]?.string == "Allow")
        #expect(statement["Condition"]?["ArnLike"] == ["AWS:SourceArn": "arn:aws:s3:::bucket"])
        let got = try await test.on("echo", .getPolicy)
        let policy = try JSONParser.parse(try #require(got["Policy"]?.string))
        #expect(policy["Statement"] == [statement])
        #expect(got["RevisionId"] != made["RevisionId"])
        let function = try test.catalog.resolve("echo", chance: 0).function
        #expect(function.revision == made["RevisionId"]?.string, "instances stay")
        #expect(await test.failure(on: "echo", .addPermission, body).status == 412)
        let again = await test.failure(
            on: "echo", .addPermission, ["StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "*"])
        #expect(again.status == 409)
        func remove(_ id: String) -> [String: String] { ["FunctionName": "echo", "StatementId": id] }
        #expect(await test.failure(.removePermission, remove("none")).status == 404)
        try await test.perform(.removePermission, remove("s3"))
        #expect(await test.failure(on: "echo", .getPolicy).status == 404)
        for number in 0..<100 {
            let principal = "arn:aws:iam::000000000000:role/" + String(repeating: "r", count: 400)
            let body: JSONValue = ["StatementId": .string("n\(number)"), "Action": "*", "Principal": .string(principal)]
            do throws(LambdaFailure) { try await test.on("echo", .addPermission, body) } catch {
                #expect(error.name == "PolicyLengthExceededException" && number > 20)
                return
            }
        }
        Issue.record("a policy has no limit")
    }

    @Test func `policies of layers`() async throws {
        let test = try await TestCatalog()
        try await Self.publish(test)
        let path = ["LayerName": "tools", "VersionNumber": "1"]
        #expect(await test.failure(.getLayerVersionPolicy, path).status == 404)
        let added = try await test.perform(
            .addLayerVersionPermission, path, ["StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"])
        let policy = try await test.perform(.getLayerVersionPolicy, path)
        #expect(policy["RevisionId"] == added["RevisionId"])
        #expect(
            await test.failure(
                .removeLayerVersionPermission, path.merging(["StatementId": "all"]) { $1 }, query: [(name: "RevisionId", value: "old")]).status == 412)
        try await test.perform(.removeLayerVersionPermission, path.merging(["StatementId": "all"]) { $1 })
        #expect(await test.failure(.getLayerVersionPolicy, path).status == 404)
    }

    @Test func `what this node cannot promise of runtimes is refused`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        #expect(try await test.on("echo", .getRuntimeManagementConfig)["UpdateRuntimeOn"]?.string == "Auto")
        try await test.on("echo", .putRuntimeManagementConfig, ["UpdateRuntimeOn": "Auto"])
        #expect(await test.failure(on: "echo", .putRuntimeManagementConfig, ["UpdateRuntimeOn": "Manual"]).status == 400)
        #expect(try await test.on("echo", .getFunctionRecursionConfig) == ["RecursiveLoop": "Allow"])
        #expect(await test.failure(on: "echo", .putFunctionRecursionConfig, ["RecursiveLoop": "Terminate"]).status == 400)
    }
}
