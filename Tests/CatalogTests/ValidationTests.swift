@testable import Catalog
import JSON
import Lambda
import TestKit
import Testing

/// What a function cannot be, and that a request that says so changes nothing.
struct ValidationTests {
    private static let long = String(repeating: "x", count: 300)

    @Test(arguments: [
        ["FunctionName": nil], ["FunctionName": "a b"], ["FunctionName": "a:1"], ["FunctionName": "arn:aws:lambda:eu-west-1:000000000000:function:a"],
        ["Role": nil], ["Role": "me"], ["Role": "arn:aws:iam::1:role/x"], ["Code": nil], ["Code": [:]], ["Code": "zip"],
        ["Code": ["ZipFile": "!"]], ["Code": ["ZipFile": ""]], ["Code": ["ZipFile": "bm8gemlw"]], ["Code": ["ZipFile": 1]],
        ["Code": ["S3Bucket": "b", "S3Key": "k"]], ["Code": ["ImageUri": "app"]], ["Code": ["ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="]],
        ["Runtime": nil], ["Runtime": "nodejs20.x"], ["Runtime": "python3.9"], ["Runtime": "java21"], ["Runtime": 3],
        ["Handler": nil], ["Handler": ""], ["Handler": "a b"], ["Handler": "app"], ["Handler": .string(long)],
        ["Description": .string(long)], ["Timeout": 0], ["Timeout": 901], ["Timeout": "3"], ["Timeout": 1.5], ["MemorySize": 127],
        ["MemorySize": 10_241], ["MemorySize": 9000], ["EphemeralStorage": ["Size": 511]], ["EphemeralStorage": [:]],
        ["Environment": ["Variables": ["AWS_REGION": "x"]]], ["Environment": ["Variables": ["1A": "x"]]], ["Environment": ["Variables": ["A": "x"]]],
        ["Environment": ["Variables": ["KEY": "a\0b"]]], ["Environment": ["Variables": ["KEY": 1]]], ["Environment": ["Vars": [:]]],
        ["Environment": ["Variables": ["KEY": .string(String(repeating: "v", count: 4096))]]],
        ["VpcConfig": ["SubnetIds": ["subnet-1"], "SecurityGroupIds": []]], ["KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1"],
        ["CodeSigningConfigArn": "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-12345678901234567"],
        ["TenancyConfig": ["TenantIsolationMode": "PER_TENANT"]], ["DurableConfig": ["ExecutionTimeout": 5]],
        ["CapacityProviderConfig": ["LambdaManagedInstancesCapacityProviderConfig": ["CapacityProviderArn": "a"]]],
        ["PublishTo": "LATEST_PUBLISHED"], ["Architectures": ["arm64"]], ["Architectures": []], ["Architectures": ["x86_64", "arm64"]],
        ["TracingConfig": ["Mode": "On"]], ["DeadLetterConfig": ["TargetArn": "arn:aws:sns:us-east-1:000000000000:t"]],
        ["LoggingConfig": ["LogFormat": "XML"]], ["LoggingConfig": ["ApplicationLogLevel": "INFO"]], ["LoggingConfig": ["LogGroup": "a b"]],
        ["FileSystemConfigs": [["Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-12345678901234567", "LocalMountPath": "/mnt/a"]]],
        ["FileSystemConfigs": [["Arn": "arn:forkless:directory:us-east-1:000000000000:/data", "LocalMountPath": "/data"]]],
        ["FileSystemConfigs": [["Arn": "arn:forkless:directory:us-east-1:000000000000:/data", "LocalMountPath": "/mnt/.."]]],
        ["FileSystemConfigs": [["Arn": "arn:forkless:directory:us-east-1:000000000000:/a/../b", "LocalMountPath": "/mnt/a"]]],
        ["ImageConfig": ["Command": ["x"]]], ["SnapStart": ["ApplyOn": "Always"]], ["Tags": ["forkless:input": "body"]], ["Tags": ["aws:a": "b"]],
        ["Tags": "x"], ["Publish": "yes"], ["Publish": 1], ["Colour": "blue"], ["PackageType": "Tar"],
    ] as [[String: JSONValue?]])
    func `a function that cannot be is refused, and nothing of it is kept`(_ changes: [String: JSONValue?]) async throws {
        let test = try await TestCatalog()
        guard case .object(var body) = TestCatalog.request("echo") else { return }
        for (key, value) in changes { body[key] = value }
        let failure = await test.failure(.createFunction, [:], .object(body))
        #expect([400, 404].contains(failure.status), "\(failure)")
        #expect(!failure.message.isEmpty && failure.message.utf8.count < 2000)
        #expect(test.catalog.functions().isEmpty)
        try await eventually("the code is gone") { try test.codeOnDisk().isEmpty }
    }

    @Test(arguments: [
        ["VpcConfig": ["SubnetIds": [], "SecurityGroupIds": []]], ["KMSKeyArn": ""], ["Architectures": ["x86_64"]],
        ["Runtime": "provided.al2023", "Handler": "bootstrap"], ["Runtime": "forkless.stdio", "Handler": "sort -n --reverse"],
        ["Runtime": "provided", "Handler": "x", "Tags": ["forkless:start": "zygote"]], ["SnapStart": ["ApplyOn": "PublishedVersions"]],
        ["LoggingConfig": ["LogFormat": "JSON", "SystemLogLevel": "WARN"]], ["TracingConfig": ["Mode": "Active"]],
        ["FileSystemConfigs": [["Arn": "arn:forkless:directory:us-east-1:000000000000:/data", "LocalMountPath": "/mnt/data"]]],
        ["DeadLetterConfig": ["TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"]], ["DeadLetterConfig": [:]], ["Description": nil],
        ["ImageConfig": [:]], ["MemorySize": 8192], ["Timeout": 900], ["EphemeralStorage": ["Size": 10_240]],
    ] as [[String: JSONValue?]])
    func `a function that can be is created`(_ changes: [String: JSONValue?]) async throws {
        let test = try await TestCatalog()
        guard case .object(var body) = TestCatalog.request("echo") else { return }
        for (key, value) in changes { body[key] = value }
        try await test.perform(.createFunction, [:], .object(body))
        #expect(test.catalog.functions().count == 1)
    }

    @Test func `what is set reaches the instance`() async throws {
        let test = try await TestCatalog()
        try await test.create(
            "echo",
            [
                "TracingConfig": ["Mode": "Active"], "LoggingConfig": ["LogFormat": "JSON", "LogGroup": "/mine"],
                "FileSystemConfigs": [["Arn": "arn:forkless:directory:us-east-1:000000000000:/data", "LocalMountPath": "/mnt/data"]],
                "EphemeralStorage": ["Size": 600], "SnapStart": ["ApplyOn": "PublishedVersions"], "Tags": ["forkless:start": "cold"], "Publish": true,
            ])
        let function = try test.catalog.resolve("echo", chance: 0).function
        #expect(function.tracesActively && function.logsJSON && function.applicationLogLevel == "INFO" && function.logGroup == "/mine")
        #expect(function.fileSystems == [FileSystem(source: "/data", target: "/mnt/data")] && function.ephemeralMB == 600)
        #expect(function.settings.start == .cold)
        #expect(try test.catalog.resolve("echo:1", chance: 0).function.settings.start == .zygote, "SnapStart of published versions")
    }

    @Test func `an archive beyond the limit of a request is refused`() async throws {
        let test = try await TestCatalog()
        let text = String(repeating: "A", count: (50 << 20) / 3 * 4 + 16)
        let failure = await test.failure(.createFunction, [:], TestCatalog.request("echo", ["Code": ["ZipFile": .string(text)]]))
        #expect(failure.name == "RequestTooLargeException" && failure.status == 413)
    }

    @Test func `archives beyond the limit of the store are refused, and the same archive counts once`() async throws {
        var settings = TestCatalog.settings
        settings.codeStorageLimit = 40_000
        let test = try await TestCatalog(settings: settings)
        var chance = SeededChance(seed: 3)
        func code(_ bytes: Int) -> String { String((0..<bytes).map { _ in "abcdefghij".randomElement(using: &chance)! }) }
        let large = code(30_000)
        try await test.create("a", code: large)
        try await test.create("b", code: large)
        let failure = await test.failure(.createFunction, [:], TestCatalog.request("c", code: code(20_000)))
        #expect(failure.name == "CodeStorageExceededException" && failure.status == 400)
        let usage = try await test.perform(.getAccountSettings)["AccountUsage"]
        #expect(usage?["FunctionCount"]?.integer == 2)
        #expect(usage?["TotalCodeSize"]?.integer.map { 30_000...31_000 ~= $0 } == true)
    }

    @Test func `a zip that leads out is refused in the service's words`() async throws {
        let test = try await TestCatalog()
        let zip = Base64.text(TestZip([.init("../evil")]).bytes)
        let failure = await test.failure(.createFunction, [:], TestCatalog.request("echo", ["Code": ["ZipFile": .string(zip)]]))
        #expect(failure.name == "InvalidParameterValueException")
        #expect(failure.message.hasPrefix("Could not unzip uploaded file. Please check your file, then try to upload again."))
        #expect(failure.message.contains("upwards"))
    }
}
