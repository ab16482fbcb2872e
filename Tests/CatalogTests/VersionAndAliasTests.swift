@testable import Catalog
import JSON
import Lambda
import TestKit
import Testing

/// Versions, aliases, and where calls go.
struct VersionAndAliasTests {
    @Test func `publishing what has not changed gives the version that is there`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        let first = try await test.on("echo", .publishVersion, ["Description": "first"])
        #expect(first["Version"]?.string == "1" && first["Description"]?.string == "first")
        #expect(first["FunctionArn"]?.string == "arn:aws:lambda:us-east-1:000000000000:function:echo:1")
        #expect(try await test.on("echo", .publishVersion, ["Description": "again"]) == first)
        try await test.on("echo", .updateFunctionConfiguration, ["Timeout": 5])
        #expect(try await test.on("echo", .publishVersion)["Version"]?.string == "2")
        // The first is as it was.
        let kept = try await test.on("echo", .getFunctionConfiguration, query: [(name: "Qualifier", value: "1")])
        #expect(kept == first)
        #expect(try test.catalog.resolve("echo:1", chance: 0).function.timeoutSeconds == 3)
        #expect(try test.catalog.resolve("echo", chance: 0).function.timeoutSeconds == 5)
        let list = try await test.on("echo", .listVersionsByFunction)["Versions"]!.array!
        #expect(list.compactMap { $0["Version"]?.string } == ["$LATEST", "1", "2"])
        let all = try await test.perform(.listFunctions, query: [(name: "FunctionVersion", value: "ALL")])
        #expect(all["Functions"]?.array?.count == 3)
    }

    @Test func `a version keeps the settings that it was published with`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Tags": ["forkless:freshness": "fresh"], "Publish": true])
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
        try await test.perform(.tagResource, ["Resource": arn], ["Tags": ["forkless:freshness": "concurrent:4"]])
        #expect(try test.catalog.resolve("echo", chance: 0).function.settings.freshness == .concurrent(4))
        #expect(try test.catalog.resolve("echo:1", chance: 0).function.settings.freshness == .fresh)
        #expect(try await test.on("echo", .publishVersion)["Version"]?.string == "2")
    }

    @Test func `publishing checks the digest and the revision it was asked for`() async throws {
        let test = try await TestCatalog()
        let made = try await test.create("echo")
        let wrong = await test.failure(on: "echo", .publishVersion, ["CodeSha256": "abc="])
        #expect(wrong.name == "InvalidParameterValueException" && wrong.message.contains(made["CodeSha256"]!.string!))
        #expect(await test.failure(on: "echo", .publishVersion, ["RevisionId": "x"]).status == 412)
        try await test.on("echo", .publishVersion, ["CodeSha256": made["CodeSha256"]!, "RevisionId": made["RevisionId"]!])
    }

    @Test func `every function, version and alias is found by each of its names`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        try await test.on("echo", .createAlias, ["Name": "live", "FunctionVersion": "1"])
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
        for (qualifier, version) in [(nil, "$LATEST"), ("$LATEST", "$LATEST"), ("1", "1"), ("live", "1")] as [(String?, String)] {
            let suffix = qualifier.map { ":" + $0 } ?? ""
            for name in ["echo", "function:echo", "000000000000:function:echo", arn] {
                for (name, qualifier) in [(name + suffix, nil), (name, qualifier), (name + suffix, qualifier)] {
                    let resolved = try test.catalog.resolve(name, qualifier: qualifier, chance: 1)
                    #expect(resolved.executedVersion == version, "\(name) \(qualifier ?? "-")")
                    #expect(resolved.invokedARN == arn + suffix)
                    #expect(resolved.function.arn == arn)
                }
            }
        }
        for (name, qualifier) in [("echo", "2"), ("echo", "dead"), ("echo:live", "1"), ("echo", "a b"), ("nobody", nil)] as [(String, String?)] {
            #expect(throws: LambdaFailure.self) { try test.catalog.resolve(name, qualifier: qualifier, chance: 0) }
        }
        let elsewhere = #expect(throws: LambdaFailure.self) {
            try test.catalog.resolve("arn:aws:lambda:eu-west-1:000000000000:function:echo", chance: 0)
        }
        #expect(elsewhere?.name == "ResourceNotFoundException")
    }

    @Test func `the weights of an alias are kept by chance`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        try await test.on("echo", .updateFunctionCode, ["ZipFile": TestCatalog.zip("2"), "Publish": true])
        let alias = try await test.on(
            "echo", .createAlias,
            ["Name": "live", "FunctionVersion": "1", "RoutingConfig": ["AdditionalVersionWeights": ["2": 0.25]]])
        #expect(alias["RoutingConfig"] == ["AdditionalVersionWeights": ["2": 0.25]])
        func version(_ chance: UInt64) throws -> String { try test.catalog.resolve("echo", qualifier: "live", chance: chance).executedVersion }
        #expect(try version(0) == "2" && version(1 << 62 - 1) == "2" && version(1 << 62) == "1" && version(.max) == "1")
        var chance = SeededChance(seed: 1)
        let count = try (0..<4000).reduce(0) { sum, _ in try version(chance.next()) == "2" ? sum + 1 : sum }
        #expect(900...1100 ~= count, "\(count) of 4000 (\(chance))")
        let plain = try await test.alias("echo", "live", .updateAlias, ["RoutingConfig": ["AdditionalVersionWeights": [:]]])
        #expect(plain["RoutingConfig"] == nil && plain["RevisionId"] != alias["RevisionId"])
        #expect(try version(0) == "1")
    }

    @Test func `aliases are made, changed, listed and deleted`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        let made = try await test.on("echo", .createAlias, ["Name": "live", "FunctionVersion": "1", "Description": "for all"])
        #expect(made["AliasArn"]?.string == "arn:aws:lambda:us-east-1:000000000000:function:echo:live")
        #expect(try await test.alias("echo", "live", .getAlias) == made)
        #expect(await test.failure(on: "echo", .createAlias, ["Name": "live", "FunctionVersion": "1"]).status == 409)
        let old = await test.failure(
            .updateAlias, ["FunctionName": "echo", "Name": "live"], ["FunctionVersion": "$LATEST", "RevisionId": "old"])
        #expect(old.status == 412)
        try await test.alias("echo", "live", .updateAlias, ["FunctionVersion": "$LATEST", "RevisionId": made["RevisionId"]!])
        #expect(try test.catalog.resolve("echo:live", chance: 0).executedVersion == "$LATEST")
        try await test.on("echo", .createAlias, ["Name": "beta", "FunctionVersion": "1"])
        let list = try await test.on("echo", .listAliases)["Aliases"]!.array!
        #expect(list.compactMap { $0["Name"]?.string } == ["beta", "live"])
        let some = try await test.on("echo", .listAliases, query: [(name: "FunctionVersion", value: "1")])
        #expect(some["Aliases"]?.array?.count == 1)
        try await test.alias("echo", "live", .deleteAlias)
        try await test.alias("echo", "live", .deleteAlias)
        #expect(await test.failure(.getAlias, ["FunctionName": "echo", "Name": "live"]).status == 404)
    }

    @Test(arguments: [
        ["Name": "1", "FunctionVersion": "1"], ["Name": "a b", "FunctionVersion": "1"], ["FunctionVersion": "1"], ["Name": "a"],
        ["Name": "a", "FunctionVersion": "9"], ["Name": "a", "FunctionVersion": "one"],
        ["Name": "a", "FunctionVersion": "1", "RoutingConfig": ["AdditionalVersionWeights": ["1": 0.5]]],
        ["Name": "a", "FunctionVersion": "1", "RoutingConfig": ["AdditionalVersionWeights": ["9": 0.5]]],
        ["Name": "a", "FunctionVersion": "1", "RoutingConfig": ["AdditionalVersionWeights": ["2": 1.5]]],
        ["Name": "a", "FunctionVersion": "1", "RoutingConfig": ["AdditionalVersionWeights": ["2": 0.1, "3": 0.1]]],
        ["Name": "a", "FunctionVersion": "$LATEST", "RoutingConfig": ["AdditionalVersionWeights": ["2": 0.1]]],
        ["Name": "a", "FunctionVersion": "1", "Colour": "blue"],
    ] as [JSONValue])
    func `an alias that cannot be is refused`(_ body: JSONValue) async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        try await test.on("echo", .updateFunctionConfiguration, ["Timeout": 5])
        try await test.on("echo", .publishVersion)
        let failure = await test.failure(on: "echo", .createAlias, body)
        #expect(failure.status == 400 || failure.name == "ResourceNotFoundException", "\(failure)")
        #expect(try await test.on("echo", .listAliases)["Aliases"]?.array?.isEmpty == true)
    }

    @Test func `a version that an alias leads to cannot be deleted`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo", ["Publish": true])
        try await test.on("echo", .createAlias, ["Name": "live", "FunctionVersion": "1"])
        func delete(_ qualifier: String) async -> LambdaFailure {
            await test.failure(on: "echo", .deleteFunction, query: [(name: "Qualifier", value: qualifier)])
        }
        #expect(await delete("1").name == "ResourceConflictException")
        #expect(await delete("$LATEST").name == "InvalidParameterValueException")
        #expect(await delete("live").name == "InvalidParameterValueException")
        #expect(await delete("7").name == "ResourceNotFoundException")
        try await test.alias("echo", "live", .deleteAlias)
        try await test.on("echo", .deleteFunction, query: [(name: "Qualifier", value: "1")])
        #expect(throws: LambdaFailure.self) { try test.catalog.resolve("echo:1", chance: 0) }
        try await test.on("echo", .updateFunctionConfiguration, ["Timeout": 5])
        #expect(try await test.on("echo", .publishVersion)["Version"]?.string == "2", "no number is given twice")
    }
}

extension TestCatalog {
    /// Of an alias.
    @discardableResult
    func alias(_ name: String, _ alias: String, _ operation: LambdaOperation, _ body: JSONValue = .null) async throws(LambdaFailure) -> JSONValue {
        try await perform(operation, ["FunctionName": name, "Name": alias], body)
    }
}
