import Lambda
import TestKit
import Testing

/// How callers name functions.
struct FunctionReferenceTests {
    @Test(arguments: [
        ("echo", "echo", nil), ("echo:live", "echo", "live"), ("echo:$LATEST", "echo", "$LATEST"), ("echo:12", "echo", "12"),
        ("function:echo", "echo", nil), ("function:echo:1", "echo", "1"), ("000000000000:function:echo", "echo", nil),
        ("000000000000:function:echo:live", "echo", "live"), ("arn:aws:lambda:us-east-1:000000000000:function:echo", "echo", nil),
        ("arn:aws:lambda:us-east-1:000000000000:function:echo:$LATEST", "echo", "$LATEST"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:a_b-C9:7", "a_b-C9", "7"),
    ] as [(String, String, String?)])
    func `each of the forms is read`(_ text: String, _ name: String, _ qualifier: String?) throws {
        let reference = try FunctionReference(text)
        #expect(reference.name == name)
        #expect(reference.qualifier == qualifier)
    }

    @Test(arguments: [
        "", ":", "a:", ":a", "a b", "a/b", "../a", "a:b:c", "a:$latest", "é", "a\0", String(repeating: "a", count: 65),
        String(repeating: "a", count: 300), "arn:aws:lambda:us-east-1:000000000000:function:", "arn:aws:lambda:us-east-1:0:function:a",
        "arn:aws:lambda::000000000000:function:a", "arn:aws:sqs:us-east-1:000000000000:a",
        "arn:aws:lambda:us-east-1:000000000000:layer:a:1", "arn:aws:lambda:us-east-1:000000000000:function:a:b:c",
        "arn:gcp:lambda:us-east-1:000000000000:function:a", "00000000000:function:a", "a.b",
    ])
    func `what is no name is refused with a sentence`(_ text: String) {
        let failure = #expect(throws: LambdaFailure.self) { try FunctionReference(text) }
        #expect(failure?.name == "InvalidParameterValueException")
        #expect(failure?.status == 400)
        #expect(failure.map { $0.message.utf8.count < 600 } == true)
    }

    @Test func `a reference is what it was written from, or is refused`() throws {
        var chance = SeededChance(seed: 7)
        let words = ["arn", "aws", "lambda", "us-east-1", "000000000000", "function", "echo", "$LATEST", "1", ":", ":", "", "é", " ", "-"]
        var read = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...9, using: &chance)
            let separator = Bool.random(using: &chance) ? ":" : ""
            let text = (0..<count).map { _ in words.randomElement(using: &chance)! }.joined(separator: separator)
            guard let reference = try? FunctionReference(text) else { continue }
            read += 1
            let name = reference.name + (reference.qualifier.map { ":" + $0 } ?? "")
            #expect(text.hasSuffix(name), "\(text) (\(chance))")
            #expect(FunctionReference.isName(reference.name) && reference.name.utf8.count <= 64)
            // "function:echo" is the function echo, so a function that is called function is read by its whole ARN alone.
            guard reference.name != "function" else { continue }
            #expect(try FunctionReference(name).name == reference.name)
        }
        #expect(read > 100)
    }

    @Test func `versions are numbers without zeros before them`() {
        #expect(FunctionReference.version("1") == 1)
        #expect(FunctionReference.version("0") == nil)
        #expect(FunctionReference.version("01") == nil)
        #expect(FunctionReference.version("") == nil)
        #expect(FunctionReference.version("-1") == nil)
        #expect(FunctionReference.version("99999999999999999999") == nil)
        #expect(FunctionReference.isAlias("v1") && !FunctionReference.isAlias("1"))
    }
}
