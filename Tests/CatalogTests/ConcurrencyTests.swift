@testable import Catalog
import JSON
import Lambda
import TestKit
import Testing

struct ConcurrencyTests {
    private static let live = [(name: "Qualifier", value: "live")]

    private static func published() async throws -> TestCatalog {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        try await test.on("echo", .createAlias, ["Name": "live", "FunctionVersion": "1"])
        return test
    }

    @Test func `what is reserved is kept, and a hundred stay for all`() async throws {
        let test = try await Self.published()
        try await test.create("other")
        let answer = try await test.on("echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 800])
        #expect(answer == ["ReservedConcurrentExecutions": 800])
        #expect(try await test.on("echo", .getFunctionConcurrency) == answer)
        #expect(try await test.on("echo", .getFunction)["Concurrency"] == answer)
        #expect(test.catalog.reservedConcurrency() == ["echo": 800] && test.catalog.unreservedConcurrency == 200)
        let failure = await test.failure(on: "other", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 101])
        #expect(failure.message.contains("below its minimum value of [100]"))
        try await test.on("other", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 100])
        try await test.on("echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 0])
        let limits = try await test.perform(.getAccountSettings)["AccountLimit"]
        #expect(limits?["UnreservedConcurrentExecutions"]?.integer == 900 && limits?["ConcurrentExecutions"]?.integer == 1000)
        try await test.on("echo", .deleteFunctionConcurrency)
        #expect(try await test.on("echo", .getFunctionConcurrency) == [:])
        for wrong in [-1, 1_099_511_627_776] as [JSONValue] {
            #expect(await test.failure(on: "echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": wrong]).status == 400)
        }
        #expect(await test.failure(on: "echo:live", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 1]).status == 400)
        #expect(await test.failure(on: "echo", .putFunctionConcurrency).status == 400)
    }

    @Test func `provisioned concurrency is what the pools say it is`() async throws {
        let test = try await Self.published()
        test.catalog.connect { $0.provisioned = { _ in (allocated: 3, available: 2) } }
        let put = try await test.on("echo", .putProvisionedConcurrencyConfig, query: Self.live, ["ProvisionedConcurrentExecutions": 3])
        #expect(put["RequestedProvisionedConcurrentExecutions"]?.integer == 3)
        #expect(put["AllocatedProvisionedConcurrentExecutions"]?.integer == 3)
        #expect(put["AvailableProvisionedConcurrentExecutions"]?.integer == 2)
        #expect(put["Status"]?.string == "IN_PROGRESS")
        test.catalog.connect { $0.provisioned = { _ in (allocated: 4, available: 4) } }
        let got = try await test.on("echo", .getProvisionedConcurrencyConfig, query: Self.live)
        #expect(got["Status"]?.string == "READY" && got["AvailableProvisionedConcurrentExecutions"]?.integer == 3)
        let list = try await test.on("echo", .listProvisionedConcurrencyConfigs, query: [(name: "List", value: "ALL")])
        #expect(list["ProvisionedConcurrencyConfigs"]?.array?.first?["FunctionArn"]?.string == "arn:aws:lambda:us-east-1:000000000000:function:echo:live")
        #expect(test.catalog.provisioned().map(\.count) == [3])
        #expect(test.catalog.provisioned().first?.function.version == "1")
        try await test.on("echo", .deleteProvisionedConcurrencyConfig, query: Self.live)
        let gone = await test.failure(on: "echo", .getProvisionedConcurrencyConfig, query: Self.live)
        #expect(gone.name == "ProvisionedConcurrencyConfigNotFoundException" && gone.status == 404)
    }

    @Test func `provisioned concurrency that cannot be is refused`() async throws {
        let test = try await Self.published()
        func put(_ qualifier: String?, _ count: JSONValue) async -> LambdaFailure {
            await test.failure(
                on: "echo", .putProvisionedConcurrencyConfig, query: qualifier.map { [(name: "Qualifier", value: $0)] } ?? [],
                ["ProvisionedConcurrentExecutions": count])
        }
        #expect(await put(nil, 1).status == 400)
        #expect(await put("$LATEST", 1).message.contains("unpublished function versions"))
        #expect(await put("dead", 1).status == 404)
        #expect(await put("live", 0).status == 400)
        #expect(await put("live", 65).message.contains("more memory than this machine has"))
        #expect(await put("live", 5000).message.contains("unreserved concurrency"))
        try await test.on("echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 2])
        #expect(await put("live", 3).message.contains("greater than the reservedConcurrentExecution"))
        try await test.on("echo", .putProvisionedConcurrencyConfig, query: Self.live, ["ProvisionedConcurrentExecutions": 2])
        #expect(await put("1", 1).name == "ResourceConflictException")
        let lower = await test.failure(on: "echo", .putFunctionConcurrency, ["ReservedConcurrentExecutions": 1])
        #expect(lower.message.contains("total provisioned concurrency [2]"))
    }

    @Test func `what is kept warm follows the alias`() async throws {
        let test = try await Self.published()
        try await test.on("echo", .putProvisionedConcurrencyConfig, query: Self.live, ["ProvisionedConcurrentExecutions": 2])
        try await test.on("echo", .updateFunctionConfiguration, ["Timeout": 4])
        try await test.on("echo", .publishVersion)
        let heard = Heard(test.catalog)
        try await test.alias("echo", "live", .updateAlias, ["FunctionVersion": "2"])
        let second = try test.catalog.resolve("echo:2", chance: 0).function
        #expect(heard.take() == [.provisionedConcurrency(name: "echo", [ProvisionedFunction(function: second, count: 2)])])
    }
}
