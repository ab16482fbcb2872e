import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import LambdaAPI

@Suite struct RouteTests {
    private func match(_ method: String, _ target: String) throws -> RouteMatch {
        let path = target.prefix { $0 != "?" }
        let query = QueryItems(target.dropFirst(path.count).dropFirst()) ?? QueryItems("")!
        return try RouteTable.match(method: method, rawPath: path, query: query)
    }

    @Test func `every operation of the service's model has a route`() async throws {
        let python = try await PythonEnvironment.shared()
        let script = """
            import boto3, json
            model = boto3.client("lambda", region_name="us-east-1").meta.service_model
            operations = [model.operation_model(name) for name in model.operation_names]
            print(json.dumps([[o.name, o.http["method"], o.http["requestUri"]] for o in operations]))
            """
        let outcome = try await CommandRunner.run([python.python, "-c", script])
        let operations = try #require(try JSONParser.parse(outcome.output).array)
        #expect(operations.count > 80)
        for operation in operations {
            let name = try #require(operation[0]?.string)
            let pattern = try #require(operation[2]?.string)
            let found = try match(operation[1]?.string ?? "", pattern.replacing("{", with: "").replacing("}", with: ""))
            switch found.target {
            case .invoke: #expect(name == "Invoke")
            case .invokeAsync: #expect(name == "InvokeAsync")
            case .invokeWithResponseStream: #expect(name == "InvokeWithResponseStream")
            case .operation(let operation): #expect(operation.rawValue == name)
            case .unsupported(let other): #expect(other == name)
            }
        }
    }

    @Test func `every operation of the catalogue has a route`() {
        let routed = RouteTable.routes.compactMap { route in
            if case .operation(let operation) = route.target { operation } else { nil }
        }
        #expect(Set(routed) == Set(LambdaOperation.allCases))
    }

    @Test func `parts of the path are decoded, whole ARNs too`() throws {
        let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aecho"
        let found = try match("POST", "/2015-03-31/functions/\(arn)/invocations?Qualifier=live")
        #expect(found.target == .invoke)
        #expect(found["FunctionName"] == "arn:aws:lambda:us-east-1:000000000000:function:echo")
        #expect(found.query["Qualifier"] == "live")
        #expect(try match("POST", "/2015-03-31/functions/echo%3Alive/invocations")["FunctionName"] == "echo:live")
        #expect(try match("GET", "/2015-03-31/functions/").target == .operation(.listFunctions))
    }

    @Test func `a fixed parameter of the query tells operations apart and is no parameter of theirs`() throws {
        let found = try match("GET", "/2018-10-31/layers?find=LayerVersion&Arn=x")
        #expect(found.target == .operation(.getLayerVersionByARN))
        #expect(found.query.items.map(\.name) == ["Arn"])
        #expect(try match("GET", "/2018-10-31/layers").target == .operation(.listLayers))
        #expect(
            try match("GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL").target
                == .operation(.listProvisionedConcurrencyConfigs))
    }

    @Test(arguments: [
        ("GET", "/"), ("GET", ""), ("GET", "/2015-03-31"), ("GET", "/2015-03-31/functions//code"),
        ("POST", "/2016-03-31/functions/f/invocations"), ("GET", "/2015-03-31/functions/f/invocations/more"),
    ])
    func `what is no operation is refused by name`(method: String, target: String) {
        let failure = #expect(throws: LambdaFailure.self) { try match(method, target) }
        #expect(failure?.name == "UnknownOperationException" && failure?.status == 404)
    }

    @Test func `a wrong method is told which ones there are`() {
        let failure = #expect(throws: LambdaFailure.self) { try match("PATCH", "/2015-03-31/functions/f/code") }
        #expect(failure?.message.contains("this path takes PUT") == true)
    }

    @Test func `a broken escape in the path is an error`() {
        let failure = #expect(throws: LambdaFailure.self) { try match("GET", "/2015-03-31/functions/a%zz") }
        #expect(failure?.name == "InvalidParameterValueException")
        #expect(throws: LambdaFailure.self) { try match("GET", "/2015-03-31/functions/%ff") }
    }

    @Test func `percent-encoding there and back`() {
        #expect(PercentCoding.decode("a%20b%C3%BC") == "a bü")
        #expect(PercentCoding.decode("a+b", plusIsSpace: true) == "a b")
        #expect(PercentCoding.decode("a+b") == "a+b")
        #expect(
            PercentCoding.decode("%") == nil && PercentCoding.decode("%4") == nil && PercentCoding.decode("%g0") == nil)
        #expect(PercentCoding.encode("a b/ü~".utf8) == "a%20b%2F%C3%BC~")
        #expect(QueryItems("a=1&b&c=d=e&=f")?.items.map(\.value) == ["1", "", "d=e", "f"])
        #expect(QueryItems("a=%zz") == nil)
    }

    @Test func `any path gives a route or an error`() {
        var chance = SeededChance(seed: .random(in: .min ... .max))
        let pieces = [
            "2015-03-31", "functions", "f", "%", "%3A", "invocations", "layers", "", "..", "\u{0}", "ü", "code", "?",
            "&", "=",
        ]
        for _ in 0..<5000 {
            let path = (0..<Int.random(in: 0...6, using: &chance)).map { _ in pieces.randomElement(using: &chance)! }
            _ = try? match(["GET", "PUT", "X"].randomElement(using: &chance)!, "/" + path.joined(separator: "/"))
        }
    }
}
