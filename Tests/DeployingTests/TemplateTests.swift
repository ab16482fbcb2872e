import JSON
import Linux
import Testing

@testable import Deploying

@Suite struct TemplateTests {
    private let place = DeploymentPlace(region: "us-east-1", directory: "/work")

    private func plan(_ text: String, _ overrides: [String: String] = [:]) throws -> DeploymentPlan {
        try Template.plan(Array(text.utf8), at: place, overrides: overrides)
    }

    /// A template with one function of these properties, in YAML's flow form.
    private func function(_ properties: String) throws -> FunctionDeclaration {
        let plan = try plan(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {\(properties)}\n")
        return try #require(plan.functions.first)
    }

    private func refusal(_ text: String) -> String {
        let error = #expect(throws: TemplateFailure.self) { try plan(text) }
        return error?.description ?? ""
    }

    static func corpus(_ name: String) throws -> [UInt8] { try Files.read("\(corpusDirectory)/\(name)") }

    static var corpusDirectory: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/Fuzz/Corpus/template"
    }

    @Test func `a template gives a plan`() throws {
        let plan = try Template.plan(try Self.corpus("payments.yaml"), at: place)
        #expect(try Template.plan(try Self.corpus("payments.yaml"), at: place) == plan)
        #expect(plan.directories == [DirectoryDeclaration(path: "/work/inbox", mode: 0o750)])
        #expect(plan.queues.map(\.name) == ["Dead.fifo", "messages.fifo"])
        #expect(plan.queues[1].attributes["VisibilityTimeout"] == "60")
        #expect(
            plan.queues[1].attributes["RedrivePolicy"]
                == #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:Dead.fifo","maxReceiveCount":3}"#)
        #expect(plan.layers == [LayerDeclaration(name: "numbers", content: .path("/work/layer"), runtimes: ["python3.11"])])
        let scorer = try #require(plan.functions.first { $0.name == "scorer" })
        #expect(scorer.code == .path("/work/scorer"))
        #expect(scorer.configuration["MemorySize"] == 256)
        #expect(scorer.configuration["Timeout"] == 10)
        #expect(scorer.layers == [TemplateText(.layerVersion("numbers"))])
        #expect(scorer.environment?["LEVEL"] == TemplateText("info"))
        #expect(scorer.environment?["URL"] == TemplateText(.queueURL("messages.fifo")))
        #expect(scorer.environment?["ARN"]?.literal == "arn:aws:sqs:us-east-1:000000000000:messages.fifo/us-east-1")
        #expect(scorer.alias == AliasDeclaration(name: "live", provisioned: .value(1)))
        #expect(scorer.reserved == .value(5))
        guard case .value(let invoke) = scorer.eventInvoke else { throw Missing() }
        #expect(invoke["DestinationConfig"]?["OnSuccess"]?["Destination"] == "arn:aws:lambda:us-east-1:000000000000:function:Booking")
        #expect(plan.mappings.map(\.source) == [
            "arn:aws:sqs:us-east-1:000000000000:messages.fifo",
            "arn:forkless:directory:us-east-1:000000000000:/work/inbox?pattern=*.xml",
            "arn:forkless:schedule:us-east-1:000000000000:cron(0 18 ? * MON-FRI *)?missed=all",
            "arn:forkless:directory:us-east-1:000000000000:/work/inbox?pattern=*.csv",
        ])
        #expect(plan.mappings.map(\.function) == ["scorer:live", "scorer:live", "scorer:live", "Booking"])
        #expect(plan.mappings[3].fields["Enabled"] == false)
        #expect(plan.outputs.map(\.value) == [
            TemplateText(.functionURL("scorer")), TemplateText("arn:aws:lambda:us-east-1:000000000000:function:scorer:live"),
        ])
    }

    private struct Missing: Error {}

    @Test func `JSON is read as YAML, with the long forms of functions`() throws {
        let plan = try Template.plan(try Self.corpus("image.json"), at: place, overrides: ["Name": "x"])
        #expect(plan.functions.map(\.name) == ["my-x"])
        #expect(plan.functions[0].code == .image("echo:1"))
        #expect(plan.functions[0].configuration["ImageConfig"]?["EntryPoint"] == ["/bin/echo"])
        #expect(plan.mappings[0].source == "arn:aws:sqs:us-east-1:000000000000:${q}")
        #expect(plan.mappings[0].fields["Enabled"] == true)
    }

    @Test func `what a function leaves out is Lambda's default`() throws {
        let function = try function("CodeUri: ., Runtime: provided")
        #expect(function.configuration["MemorySize"] == 128)
        #expect(function.configuration["Timeout"] == 3)
        #expect(function.environment == [:] && function.layers == [] && function.tags == [:])
        #expect(function.reserved == .absent && function.url == .absent && function.eventInvoke == .absent)
    }

    @Test func `globals are replaced, joined and added to`() throws {
        let plan = try Template.plan(try Self.corpus("stdio.yaml"), at: place)
        #expect(plan.functions[0].layers == [TemplateText(.layerVersion("One")), TemplateText(.layerVersion("Two"))])
        #expect(plan.functions[0].configuration["Runtime"] == "forkless.stdio")
        #expect(plan.layers[1].content == .path("/work/three"))
    }

    @Test(arguments: [
        ("CodeUri: ., Runtime: provided, MemoryLimit: 5", "line 5: Resources.F.Properties.MemoryLimit: not supported here; supported are"),
        ("CodeUri: ., Runtime: provided, MemorySize: [1]", "Resources.F.Properties.MemorySize: expected a text, found a list"),
        ("CodeUri: ., Runtime: provided, MemorySize: much", "MemorySize: expected a whole number, found \"much\""),
        ("CodeUri: ., Runtime: provided, Policies: [x]", "Properties.Policies: not supported: there are no services"),
        ("CodeUri: s3://b/k, Runtime: provided", "CodeUri: not supported: code comes from a path"),
        ("Runtime: provided", "exactly one of CodeUri, InlineCode and ImageUri"),
        ("CodeUri: ., ImageUri: x, Runtime: provided", "exactly one of"), ("CodeUri: .", "Runtime: a function that is no image has a Runtime"),
        ("CodeUri: ., Runtime: provided, ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 1}", "give AutoPublishAlias"),
        ("CodeUri: ., Runtime: provided, Events: {A: {Type: HttpApi}}", "Events.A.Type: HttpApi is not supported: there is no router"),
        ("CodeUri: ., Runtime: provided, Events: {A: {Type: Kinesis}}", "Kinesis is not supported; supported are SQS"),
        ("CodeUri: !If [a, b, c], Runtime: provided", "CodeUri: the function If is not worked out here"),
        ("CodeUri: ., Runtime: !Ref Nobody", "\"Nobody\" is neither a parameter nor a resource"),
        ("CodeUri: ., Runtime: !GetAtt F.Size", "F has no attribute \"Size\" here; it has Arn"),
        ("CodeUri: ., Runtime: !Ref AWS::StackName", "\"AWS::StackName\" stands for nothing here"),
        ("FunctionName: !Ref F, CodeUri: ., Runtime: provided", "neither a parameter nor"),
        ("CodeUri: ., Runtime: !Sub '${F'", "\"${\" without \"}\""), ("CodeUri: ., Runtime: provided, Timeout: 1, Timeout: 2", "named twice"),
        ("InlineCode: x, Runtime: provided", "only code for python is written inline"),
    ])
    func `what is not known is refused with its path`(properties: String, sentence: String) throws {
        let error = #expect(throws: TemplateFailure.self) { try function(properties) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("", "empty"), ("[]", "expected names with values"), ("Resources: {}", "Transform: expected AWS::Serverless-2016-10-31"),
        ("Transform: AWS::Serverless-2016-10-31", "Resources: the template has none"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::S3::Bucket}}", "files arrive in a Forkless::Directory"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::SQS::Queue}}\nConditions: {}", "Conditions: not supported"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::SQS::Queue, DependsOn: B}}", "DependsOn: not supported"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {A-B: {Type: AWS::SQS::Queue}}", "only letters and digits"),
        ("a: &x 1\nb: *x", "line 1: YAML anchors"), ("a: [", "not YAML"), ("a: *x", "not YAML"), ("a: 1\nb: {<<: {c: 1}}", "merges"),
        (String(repeating: "[", count: 80) + String(repeating: "]", count: 80), "more than 64"),
    ])
    func `what is no template is refused`(text: String, sentence: String) {
        #expect(refusal(text).contains(sentence), "\(refusal(text))")
    }

    @Test func `parameters have defaults, values and limits`() throws {
        let head = "Transform: AWS::Serverless-2016-10-31\nResources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref N}}}\n"
        let text = head + "Parameters: {N: {Type: String, Default: a, AllowedValues: [a, b]}}\n"
        #expect(try plan(text).queues[0].name == "a")
        #expect(try plan(text, ["N": "b"]).queues[0].name == "b")
        #expect(throws: TemplateFailure.self) { try plan(text, ["N": "c"]) }
        #expect(throws: TemplateFailure.self) { try plan(text, ["M": "b"]) }
        #expect(refusal(head + "Parameters: {N: {Type: String}}\n").contains("give --parameter-overrides N=VALUE"))
        #expect(refusal(head + "Parameters: {N: {Type: List<Number>}}\n").contains("String or Number"))
    }

    @Test func `queues that redrive in a circle are refused`() {
        let text = """
            Transform: AWS::Serverless-2016-10-31
            Resources:
              A: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt B.Arn, maxReceiveCount: 1}}}
              B: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt A.Arn, maxReceiveCount: 1}}}
            """
        #expect(refusal(text).contains("A, B redrive in a circle"))
    }

    @Test func `two functions of one name are refused`() {
        let one = "{Type: AWS::Serverless::Function, Properties: {FunctionName: f, CodeUri: ., Runtime: provided}}"
        #expect(refusal("Transform: AWS::Serverless-2016-10-31\nResources: {A: \(one), B: \(one)}").contains("two resources have the name \"f\""))
    }

    @Test func `anchors are refused before they multiply`() {
        var text = "a0: &a0 [x]\n"
        for level in 1..<40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(refusal(text).contains("anchors"))
    }

    @Test func `text that multiplies itself is refused`() {
        var text = "\"!Sub\""
        text = "x" + String(repeating: "y", count: 100_000)
        var value = "'\(text)'"
        for _ in 0..<20 { value = "!Sub ['${v}${v}', {v: \(value)}]" }
        let template = "Transform: AWS::Serverless-2016-10-31\nResources: {Q: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: \(value)}}}"
        #expect(refusal(template).contains("bytes of text"))
    }
}
