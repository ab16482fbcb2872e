@testable import Catalog
import JSON
import Lambda
import TestKit
import Testing

/// Event invoke configs, event source mappings and function URLs.
struct EventTests {
    private static let queue = "arn:aws:sqs:us-east-1:000000000000:orders"
    private static let schedule = "arn:forkless:schedule:us-east-1:000000000000:rate(5 minutes)"
    private static let directory = "arn:forkless:directory:us-east-1:000000000000:/in"

    private static func echo() async throws -> TestCatalog {
        let test = try await TestCatalog()
        try await test.create("echo", ["DeadLetterConfig": ["TargetArn": .string(queue)], "Publish": true])
        return test
    }

    @Test func `what becomes of events is declared for each qualifier`() async throws {
        let test = try await Self.echo()
        var settings = test.catalog.eventInvokeSettings("echo", qualifier: nil)
        #expect(settings.maximumRetries == 2 && settings.maximumAgeSeconds == 21_600 && settings.deadLetter == .queue("orders"))
        let put = try await test.on(
            "echo", .putFunctionEventInvokeConfig,
            ["MaximumRetryAttempts": 1, "DestinationConfig": ["OnFailure": ["Destination": .string(Self.queue)]]])
        #expect(put["FunctionArn"]?.string == "arn:aws:lambda:us-east-1:000000000000:function:echo:$LATEST")
        #expect(put["DestinationConfig"] == ["OnSuccess": [:], "OnFailure": ["Destination": .string(Self.queue)]])
        #expect(put["LastModified"]?.double.map { $0 > 1_700_000_000 } == true)
        try await test.on("echo", .updateFunctionEventInvokeConfig, ["MaximumEventAgeInSeconds": 60])
        settings = test.catalog.eventInvokeSettings("echo", qualifier: nil)
        #expect(settings.maximumRetries == 1 && settings.maximumAgeSeconds == 60 && settings.onFailure == .queue("orders"))
        #expect(test.catalog.eventInvokeSettings("echo", qualifier: "1").maximumRetries == 2)
        #expect(try await test.on("echo", .listFunctionEventInvokeConfigs)["FunctionEventInvokeConfigs"]?.array?.count == 1)
        // Put replaces all of it.
        let again = try await test.on("echo", .putFunctionEventInvokeConfig, ["MaximumRetryAttempts": 0])
        #expect(again["MaximumEventAgeInSeconds"] == nil)
        #expect(test.catalog.eventInvokeSettings("echo", qualifier: nil).onFailure == nil)
        try await test.on("echo", .deleteFunctionEventInvokeConfig)
        #expect(await test.failure(on: "echo", .getFunctionEventInvokeConfig).status == 404)
        for wrong in [
            [:], ["MaximumRetryAttempts": 3], ["MaximumEventAgeInSeconds": 59],
            ["DestinationConfig": ["OnSuccess": ["Destination": "arn:aws:sns:us-east-1:000000000000:t"]]],
            ["DestinationConfig": ["OnSuccess": ["Destination": "arn:aws:lambda:us-east-1:000000000000:function:echo"]]],
        ] as [JSONValue] {
            #expect(await test.failure(on: "echo", .putFunctionEventInvokeConfig, wrong).status == 400, "\(wrong)")
        }
    }

    @Test func `a mapping is created, listed, changed and deleted`() async throws {
        let test = try await Self.echo()
        let heard = Heard(test.catalog)
        let made = try await test.perform(
            .createEventSourceMapping, [:],
            ["EventSourceArn": .string(Self.queue), "FunctionName": "echo:1", "FunctionResponseTypes": ["ReportBatchItemFailures"]])
        let id = try #require(made["UUID"]?.string)
        #expect(made["State"]?.string == "Creating" && made["BatchSize"]?.integer == 10)
        let mapping = try #require(test.catalog.mappings().first)
        #expect(mapping.source == .queue("orders") && mapping.reportsItemFailures && mapping.function.qualifier == "1")
        #expect(heard.take() == [.mapping(mapping)])
        test.catalog.note(mapping: id, result: "OK")
        let got = try await test.perform(.getEventSourceMapping, ["UUID": id])
        #expect(got["State"]?.string == "Enabled" && got["LastProcessingResult"]?.string == "OK")
        let same = await test.failure(
            .createEventSourceMapping, [:], ["EventSourceArn": .string(Self.queue), "FunctionName": "echo:1"])
        #expect(same.status == 409 && same.message.contains(id))
        let updated = try await test.perform(.updateEventSourceMapping, ["UUID": id], ["Enabled": false, "BatchSize": 5])
        #expect(updated["State"]?.string == "Updating" && updated["BatchSize"]?.integer == 5)
        #expect(try await test.perform(.getEventSourceMapping, ["UUID": id])["State"]?.string == "Disabled")
        let list = try await test.perform(.listEventSourceMappings, query: [(name: "FunctionName", value: "echo:1")])
        #expect(list["EventSourceMappings"]?.array?.count == 1)
        #expect(try await test.perform(.listEventSourceMappings, query: [(name: "EventSourceArn", value: Self.schedule)])["EventSourceMappings"] == [])
        _ = heard.take()
        #expect(try await test.perform(.deleteEventSourceMapping, ["UUID": id])["State"]?.string == "Deleting")
        #expect(heard.take().count == 1)
        #expect(await test.failure(.getEventSourceMapping, ["UUID": id]).status == 404)
    }

    @Test func `schedules and directories are sources with their own limits`() async throws {
        let test = try await Self.echo()
        let schedule = try await test.perform(
            .createEventSourceMapping, [:],
            [
                "EventSourceArn": .string(Self.schedule), "FunctionName": "echo", "MaximumRetryAttempts": 3, "MaximumRecordAgeInSeconds": 60,
                "DestinationConfig": ["OnFailure": ["Destination": .string(Self.directory)]],
            ])
        #expect(schedule["BatchSize"]?.integer == 1 && schedule["MaximumRetryAttempts"]?.integer == 3)
        let mapping = try #require(test.catalog.mappings().first)
        #expect(mapping.maximumRetries == 3 && mapping.maximumAgeSeconds == 60 && mapping.onFailure == .directory("/in"))
        let directory = try await test.perform(
            .createEventSourceMapping, [:], ["EventSourceArn": .string(Self.directory), "FunctionName": "echo"])
        #expect(directory["BatchSize"]?.integer == 1)
    }

    @Test func `limits that a mapping does not set are the function's, and are not told as the mapping's`() async throws {
        let test = try await Self.echo()
        let names = ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"]
        for source in [Self.schedule, Self.directory] {
            let made = try await test.perform(.createEventSourceMapping, [:], ["EventSourceArn": .string(source), "FunctionName": "echo"])
            #expect(names.allSatisfy { made[$0] == nil })
            let id = try #require(made["UUID"]?.string)
            let limited = try await test.perform(
                .updateEventSourceMapping, ["UUID": id], ["MaximumRetryAttempts": 0, "MaximumRecordAgeInSeconds": 60])
            #expect(limited["MaximumRetryAttempts"] == 0 && limited["MaximumRecordAgeInSeconds"] == 60)
            let free = try await test.perform(
                .updateEventSourceMapping, ["UUID": id], ["MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": -1])
            #expect(names.allSatisfy { free[$0] == nil })
            let mapping = try #require(test.catalog.mappings().first { $0.id == id })
            #expect(mapping.maximumRetries == nil && mapping.maximumAgeSeconds == nil)
        }
    }

    @Test(arguments: [
        ["EventSourceArn": .string(queue)], ["FunctionName": "echo"], ["EventSourceArn": .string(queue), "FunctionName": "nobody"],
        ["EventSourceArn": .string(queue), "FunctionName": "echo:9"], ["EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "FunctionName": "echo"],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "BatchSize": 0], ["EventSourceArn": .string(queue), "FunctionName": "echo", "BatchSize": 10_001],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "BatchSize": 11],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "MaximumBatchingWindowInSeconds": 301],
        ["EventSourceArn": .string(queue + ".fifo"), "FunctionName": "echo", "BatchSize": 11, "MaximumBatchingWindowInSeconds": 1],
        ["EventSourceArn": .string(queue + ".fifo"), "FunctionName": "echo", "MaximumBatchingWindowInSeconds": 1],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "MaximumRetryAttempts": 1],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "ScalingConfig": ["MaximumConcurrency": 1]],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "ParallelizationFactor": 2],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "StartingPosition": "TRIM_HORIZON"],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "FunctionResponseTypes": ["Other"]],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "FilterCriteria": ["Filters": [["Pattern": "no json"]]]],
        ["EventSourceArn": .string(queue), "FunctionName": "echo", "Tags": ["forkless:start": "cold"], "Colour": 1],
        ["EventSourceArn": .string(schedule), "FunctionName": "echo", "BatchSize": 2],
        ["EventSourceArn": .string(schedule), "FunctionName": "echo", "ScalingConfig": ["MaximumConcurrency": 2]],
        ["EventSourceArn": .string(directory), "FunctionName": "echo", "MaximumRecordAgeInSeconds": 59],
    ] as [JSONValue])
    func `a mapping that cannot be is refused`(_ body: JSONValue) async throws {
        let test = try await Self.echo()
        let failure = await test.failure(.createEventSourceMapping, [:], body)
        #expect(failure.status == 400 || failure.status == 404, "\(failure)")
        #expect(test.catalog.mappings().isEmpty)
    }

    @Test func `other parts of the node may refuse a mapping`() async throws {
        let test = try await Self.echo()
        test.catalog.connect {
            $0.checkMapping = { _ throws(LambdaFailure) in throw .invalidParameter("no such queue") }
        }
        let body: JSONValue = ["EventSourceArn": .string(Self.queue), "FunctionName": "echo"]
        #expect(await test.failure(.createEventSourceMapping, [:], body).message == "no such queue")
    }

    @Test func `a function URL has an address of its own`() async throws {
        let test = try await Self.echo()
        let heard = Heard(test.catalog)
        let made = try await test.on(
            "echo", .createFunctionURLConfig, ["AuthType": "NONE", "Cors": ["AllowOrigins": ["*"], "AllowMethods": ["GET"], "MaxAge": 60]])
        let url = try #require(test.catalog.functionURLs().first)
        #expect(url.id.utf8.count == 32 && url.function == "echo" && url.qualifier == nil && url.cors?.allowMethods == ["GET"])
        #expect(made["FunctionUrl"]?.string == "http://\(url.id).lambda-url.localhost:7070/")
        #expect(made["InvokeMode"]?.string == "BUFFERED" && made["LastModifiedTime"] == nil)
        #expect(test.catalog.functionURL(url.id) == url && test.catalog.functionURL("other") == nil)
        #expect(heard.take() == [.functionURL(url)])
        #expect(await test.failure(on: "echo", .createFunctionURLConfig, ["AuthType": "NONE"]).status == 409)
        let updated = try await test.on("echo", .updateFunctionURLConfig, ["InvokeMode": "RESPONSE_STREAM", "Cors": [:]])
        #expect(updated["FunctionUrl"] == made["FunctionUrl"] && updated["Cors"] == nil)
        #expect(test.catalog.functionURL(url.id)?.mode == .responseStream)
        #expect(try await test.on("echo", .listFunctionURLConfigs)["FunctionUrlConfigs"]?.array?.count == 1)
        _ = heard.take()
        try await test.on("echo", .deleteFunctionURLConfig)
        #expect(heard.take().count == 1 && test.catalog.functionURLs().isEmpty)
        #expect(await test.failure(on: "echo", .getFunctionURLConfig).status == 404)
        for wrong in [[:], ["AuthType": "SOME"], ["AuthType": "NONE", "Cors": ["MaxAge": 90_000]], ["AuthType": "NONE", "Cors": ["AllowMethods": ["YELL"]]]]
            as [JSONValue]
        {
            #expect(await test.failure(on: "echo", .createFunctionURLConfig, wrong).status == 400, "\(wrong)")
        }
        #expect(await test.failure(on: "echo:1", .createFunctionURLConfig, ["AuthType": "NONE"]).status == 400)
    }
}
