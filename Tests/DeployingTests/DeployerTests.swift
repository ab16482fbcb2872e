import JSON
import Lambda
import Linux
import Synchronization
import TestKit
import Testing

@testable import Deploying

@Suite struct DeployerTests {
    /// The template of the corpus, with code.
    private func directory() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory("deploy")
        try directory.write("def handle(event, context): return 1\n", to: "scorer/scorer.py")
        try directory.write("x = 1\n", to: "layer/python/x.py")
        try directory.write(String(decoding: try TemplateTests.corpus("payments.yaml"), as: UTF8.self), to: "template.yaml")
        return directory
    }

    private func deploy(
        _ directory: TemporaryDirectory, _ service: FakeService, edited: (inout String) -> Void = { _ in }
    ) async throws -> (changes: [DeploymentChange], outputs: [String]) {
        var text = try Files.readText(directory.path("template.yaml"))
        edited(&text)
        let plan = try Template.plan(Array(text.utf8), at: DeploymentPlace(region: "us-east-1", directory: directory.path))
        let changes = Mutex<[DeploymentChange]>([])
        var deployer = Deployer(service) { change in changes.withLock { $0.append(change) } }
        let outputs = try await deployer.carryOut(plan)
        return (changes.withLock { $0 }, outputs.map { "\($0.name)=\($0.value)" })
    }

    @Test func `queues come before functions, and functions before mappings`() async throws {
        let directory = try directory()
        let service = FakeService()
        let result = try await deploy(directory, service)
        #expect(result.changes.map { "\($0.kind) \($0.what) \($0.name)" }.prefix(6) == [
            "created directory \(directory.path("inbox"))", "created queue Dead.fifo", "created queue messages.fifo",
            "created layer numbers:1", "created function scorer", "created function Booking",
        ])
        #expect(result.changes.suffix(4).allSatisfy { $0.what == "mapping" })
        #expect(result.outputs == ["Url=http://scorer.localhost/", "Alias=arn:aws:lambda:us-east-1:000000000000:function:scorer:live"])
        #expect(Files.exists(directory.path("inbox")))
        let scorer = service.function("scorer")
        #expect(scorer?["Environment"]?["Variables"]?["URL"] == "http://q/000000000000/messages.fifo")
        #expect(scorer?["Layers"] == ["arn:aws:lambda:us-east-1:000000000000:layer:numbers:1"])
    }

    @Test func `a second deployment changes nothing`() async throws {
        let directory = try directory()
        let service = FakeService()
        _ = try await deploy(directory, service)
        service.forgetChanges()
        let again = try await deploy(directory, service)
        #expect(service.changes == [])
        #expect(again.changes.allSatisfy { $0.kind == .unchanged })
        #expect(again.outputs.first == "Url=http://scorer.localhost/")
    }

    @Test func `only what differs is changed`() async throws {
        let directory = try directory()
        let service = FakeService()
        _ = try await deploy(directory, service)
        service.forgetChanges()
        try directory.write("def handle(event, context): return 2\n", to: "scorer/scorer.py")
        let changed = try await deploy(directory, service) { text in
            text = text.replacing("VisibilityTimeout: 60", with: "VisibilityTimeout: 90").replacing("BatchSize: 1", with: "BatchSize: 2")
                .replacing("Default: 256", with: "Default: 128").replacing("ReservedConcurrentExecutions: 5", with: "")
                .replacing("team: payments", with: "desk: fx")
        }
        #expect(service.changes == [
            "SetQueueAttributes messages.fifo", "PUT /2015-03-31/functions/scorer/code", "PUT /2015-03-31/functions/scorer/configuration",
            "DELETE /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ascorer",
            "POST /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ascorer",
            "DELETE /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3ABooking",
            "POST /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3ABooking",
            "DELETE /2017-10-31/functions/scorer/concurrency", "PUT /2015-03-31/functions/scorer/aliases/live",
            "PUT /2015-03-31/event-source-mappings/0",
        ])
        let scorer = changed.changes.first { $0.name == "scorer" && $0.what == "function" }
        #expect(scorer?.details == "code, MemorySize, tags")
        #expect(service.function("scorer")?["Tags"] == ["desk": "fx"])
    }

    @Test func `code that cannot be read is found before anything changes`() async throws {
        let directory = try directory()
        try Files.removeTree(directory.path("scorer"))
        let service = FakeService()
        let error = await #expect(throws: DeploymentFailure.self) { try await deploy(directory, service) }
        #expect(error?.description.contains("deploy function scorer: the code at \(directory.path("scorer"))") == true)
        #expect(service.changes == [])
    }

    @Test func `what a declaration does not say stays as it is`() async throws {
        let directory = try directory()
        let service = FakeService()
        _ = try await deploy(directory, service)
        service.forgetChanges()
        var plan = DeploymentPlan()
        var function = FunctionDeclaration(name: "scorer")
        function.configuration["Timeout"] = 7
        function.tags = ["forkless:freshness": "fresh"]
        function.keepsOtherTags = true
        plan.functions = [function]
        var deployer = Deployer(service) { _ in }
        _ = try await deployer.carryOut(plan)
        #expect(service.changes.map { $0.prefix(8) } == ["PUT /201", "POST /20"])
        #expect(service.function("scorer")?["Tags"] == ["team": "payments", "forkless:freshness": "fresh"])
        #expect(service.function("scorer")?["MemorySize"] == 256)
    }

    @Test func `a new function needs code`() async throws {
        var plan = DeploymentPlan()
        plan.functions = [FunctionDeclaration(name: "nobody")]
        var deployer = Deployer(FakeService()) { _ in }
        let error = await #expect(throws: DeploymentFailure.self) { try await deployer.carryOut(plan) }
        #expect(error?.description.contains("Give --code or --image") == true)
    }
}
