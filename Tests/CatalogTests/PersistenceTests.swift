@testable import Catalog
import JSON
import Lambda
import Linux
import Store
import Synchronization
import TestKit
import Testing

/// What is declared stays declared, whatever happens to the node.
struct PersistenceTests {
    /// Something of every kind.
    private static func fill(_ test: TestCatalog) async throws {
        try await test.perform(
            .publishLayerVersion, ["LayerName": "tools"],
            ["Content": ["ZipFile": TestCatalog.zip("layer")], "CompatibleRuntimes": ["python3.11"], "CompatibleArchitectures": ["x86_64"]])
        try await test.create(
            "echo",
            [
                "Publish": true, "Environment": ["Variables": ["KEY": "é\n\"x\""]], "Tags": ["forkless:key": "sdk", "team": "pay"],
                "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:tools:1"], "LoggingConfig": ["LogFormat": "JSON"],
                "DeadLetterConfig": ["TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"], "TracingConfig": ["Mode": "Active"],
                "FileSystemConfigs": [["Arn": "arn:forkless:directory:us-east-1:000000000000:/data", "LocalMountPath": "/mnt/data"]],
            ])
        try await test.on("echo", .updateFunctionCode, ["ZipFile": TestCatalog.zip("2"), "Publish": true])
        try await test.on(
            "echo", .createAlias, ["Name": "live", "FunctionVersion": "1", "RoutingConfig": ["AdditionalVersionWeights": ["2": 0.1]]])
        try await test.on("echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 7])
        try await test.on("echo", .putProvisionedConcurrencyConfig, query: [(name: "Qualifier", value: "live")], ["ProvisionedConcurrentExecutions": 2])
        try await test.on(
            "echo", .putFunctionEventInvokeConfig,
            ["MaximumRetryAttempts": 1, "DestinationConfig": ["OnFailure": ["Destination": "arn:aws:sqs:us-east-1:000000000000:dead"]]])
        try await test.on("echo", .createFunctionURLConfig, ["AuthType": "NONE", "Cors": ["AllowOrigins": ["*"], "AllowCredentials": true]])
        try await test.on("echo", .addPermission, ["StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "*"])
        try await test.perform(
            .createEventSourceMapping, [:],
            [
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:in", "FunctionName": "echo:live", "Enabled": false, "BatchSize": 4,
                "FilterCriteria": ["Filters": [["Pattern": "{\"a\":[1]}"]]], "ScalingConfig": ["MaximumConcurrency": 3],
            ])
        try await test.perform(
            .createEventSourceMapping, [:],
            [
                "EventSourceArn": "arn:forkless:schedule:us-east-1:000000000000:cron(0 18 ? * MON-FRI *)?missed=all", "FunctionName": "echo",
                "DestinationConfig": ["OnFailure": ["Destination": "arn:forkless:directory:us-east-1:000000000000:/out"]], "Tags": ["a": "b"],
            ])
        try await test.create("gone")
        try await test.on("gone", .deleteFunction)
    }

    private static let images = FakeImages()

    @Test func `a catalogue that is opened again is the one that was closed`() async throws {
        let test = try await TestCatalog(images: Self.images)
        try await Self.fill(test)
        try await test.perform(
            .createFunction, [:], ["FunctionName": "boxed", "Role": TestCatalog.role.json, "PackageType": "Image", "Code": ["ImageUri": "app"]])
        let before = test.catalog.state.withLock(\.self)
        await test.close()
        let again = try await TestCatalog(test.directory, images: Self.images)
        let after = again.catalog.state.withLock(\.self)
        #expect(after.functions == before.functions)
        #expect(after.versions == before.versions)
        #expect(after.layers == before.layers && after.layerVersions == before.layerVersions)
        #expect(after.mappings == before.mappings)
        #expect(after.urls == before.urls && after.reservedTotal == before.reservedTotal)
        #expect(after.uses.mapValues(\.count) == before.uses.mapValues(\.count))
        #expect(after.codeSize == before.codeSize)
        for chance in [0, UInt64.max] {
            #expect(try again.catalog.resolve("echo:live", chance: chance) == test.catalog.resolve("echo:live", chance: chance))
        }
        #expect(Self.images.held == ["sha256:i-app"])
        await again.close()
    }

    @Test func `a write that fails leaves everything as it was`() async throws {
        let directory = try TemporaryDirectory("catalog")
        let full = Mutex(false)
        let written = Mutex<[[CatalogChange]]>([])
        let catalog = try await FunctionCatalog([], directory: directory.path("functions"), settings: TestCatalog.settings, images: NoImages()) {
            changes throws(StoreFailure) in
            if full.withLock(\.self) { throw StoreFailure(.full, "no space left") }
            written.withLock { $0.append(changes) }
        }
        func perform(_ operation: LambdaOperation, _ body: JSONValue) async throws(LambdaFailure) {
            _ = try await catalog.perform(operation, OperationInput(path: ["FunctionName": "echo"], body: body))
        }
        try await perform(.createFunction, TestCatalog.request("echo", ["Publish": true]))
        #expect(written.withLock(\.count) == 1, "function and version are one transaction")
        #expect(written.withLock { $0[0].count } == 2)
        let before = catalog.state.withLock(\.self)
        let heard = Heard(catalog)
        full.withLock { $0 = true }
        let failure = await #expect(throws: LambdaFailure.self) { try await perform(.updateFunctionCode, ["ZipFile": TestCatalog.zip("2")]) }
        #expect(failure?.status == 500 && failure?.message.contains("disk is full") == true)
        let after = catalog.state.withLock(\.self)
        #expect(after.functions == before.functions && heard.take().isEmpty)
        let code = directory.path("functions/code")
        try await eventually("the code that was not declared is gone") { try Files.list(code).filter { !$0.hasPrefix(".") }.count == 1 }
        full.withLock { $0 = false }
        try await perform(.updateFunctionCode, ["ZipFile": TestCatalog.zip("2")])
        #expect(heard.take().count == 1)
    }

    @Test func `a refused request changes nothing`() async throws {
        let test = try await TestCatalog()
        try await Self.fill(test)
        let state = test.catalog.state.withLock(\.self)
        // Decisions are values: the same request, moment and chance give the same.
        let request = CatalogRequest(OperationInput(path: ["FunctionName": "echo"], body: ["Timeout": 9]))
        func decide() throws -> [CatalogChange] {
            var moment = Moment(now: Timestamp(nanoseconds: 1), chance: SeededChance(seed: 5), hooks: CatalogHooks())
            return try state.decide(.updateFunctionConfiguration, request, &moment).changes
        }
        #expect(try decide() == decide())
        _ = await test.failure(on: "echo", .updateFunctionConfiguration, ["Timeout": 9, "MemorySize": 1])
        #expect(test.catalog.state.withLock(\.functions) == state.functions)
    }

    @Test func `of many that create one function one succeeds`() async throws {
        let test = try await TestCatalog()
        let made = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask { (try? await test.create("echo", code: "\(number)")) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
        try await eventually("the code of the others is gone") { try test.codeOnDisk().count == 1 }
    }

    @Test func `observers hear of what has changed`() async throws {
        let test = try await TestCatalog()
        let heard = Heard(test.catalog)
        try await test.create("echo")
        let first = try test.catalog.resolve("echo", chance: 0).function
        #expect(heard.take() == [.deployed(first, replacing: nil)])
        try await test.on("echo", .updateFunctionCode, ["ZipFile": TestCatalog.zip("2"), "Publish": true])
        let second = try test.catalog.resolve("echo", chance: 0).function
        let version = try test.catalog.resolve("echo:1", chance: 0).function
        #expect(heard.take() == [.deployed(second, replacing: first), .deployed(version, replacing: nil)])
        try await test.on("echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 5])
        #expect(heard.take() == [.reservedConcurrency(name: "echo", 5)])
        try await test.on("echo", .putProvisionedConcurrencyConfig, query: [(name: "Qualifier", value: "1")], ["ProvisionedConcurrentExecutions": 2])
        #expect(heard.take() == [.provisionedConcurrency(name: "echo", [ProvisionedFunction(function: version, count: 2)])])
        try await test.on("echo", .createAlias, ["Name": "live", "FunctionVersion": "1"])
        try await test.on("echo", .addPermission, ["StatementId": "a", "Action": "*", "Principal": "*"])
        _ = await test.failure(on: "echo", .updateFunctionConfiguration, ["Timeout": 0])
        #expect(heard.take() == [], "instances have no part in these")
        try await test.on("echo", .deleteFunction)
        #expect(
            heard.take() == [
                .retired(second), .retired(version), .reservedConcurrency(name: "echo", nil), .provisionedConcurrency(name: "echo", []),
                .functionDeleted(name: "echo"),
            ])
    }

    @Test func `a damaged row is named`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        await test.close()
        let database = try StateDatabase(path: test.directory.path("node.db"), migrations: CatalogTables.migrations)
        try await database.write { store throws(StoreFailure) in
            try store.execute("UPDATE catalog SET content = '{\"latest\":{}}'")
        }
        await database.close()
        let failure = await #expect(throws: LambdaFailure.self) { _ = try await TestCatalog(test.directory) }
        #expect(failure?.message.contains("function echo") == true, "\(String(describing: failure))")
    }
}
