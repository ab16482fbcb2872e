import HTTPServing
import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import LambdaAPI

@Suite struct SignatureTests {
    static let check = SignatureCheck(
        keys: AccessKeys(["AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"]), region: "us-east-1")

    struct Signed {
        var request: HTTPRequest
        var body: [UInt8]
        var time: Int

        func verify(now: Int? = nil, services: [String] = ["lambda"], by check: SignatureCheck = SignatureTests.check)
            throws(LambdaFailure)
        {
            try check.checkHead(request, services: services, now: now ?? time).check(request, body: body)
        }
    }

    private static func signed(_ count: Int, seed: UInt32) async throws -> [Signed] {
        let python = try await PythonEnvironment.shared()
        let script = #filePath.replacing("LambdaAPITests/SignatureTests.swift", with: "Clients/sign_requests.py")
        let outcome = try await CommandRunner.run([python.python, script, "\(count)", "\(seed)"])
        try #require(outcome.status.isSuccess, "\(outcome.errorText)")
        return try outcome.text.split(separator: "\n").map { line in
            let value = try JSONParser.parse(String(line))
            var request = HTTPRequest(method: value["method"]?.string ?? "", target: value["target"]?.string ?? "")
            for field in value["headers"]?.array ?? [] {
                request.headers.add(field[0]?.string ?? "", field[1]?.string ?? "")
            }
            let date = request.headers["x-amz-date"] ?? QueryItems(request.rawQuery)?["X-Amz-Date"] ?? ""
            let time = try #require(SigningTime.seconds(date))
            return Signed(
                request: request, body: value["body"]?.array?.map { UInt8($0.integer ?? 0) } ?? [], time: time)
        }
    }

    @Test func `what botocore signs is accepted`() async throws {
        let seed = UInt32.random(in: .min ... .max)
        for signed in try await Self.signed(400, seed: seed) {
            #expect(throws: Never.self, "seed \(seed): \(signed.request)") { try signed.verify() }
        }
    }

    @Test func `what was changed after it was signed is refused`() async throws {
        let seed = UInt32.random(in: .min ... .max)
        var chance = SeededChance(seed: UInt64(seed))
        for signed in try await Self.signed(200, seed: seed) {
            var changed = signed
            switch Int.random(in: 0..<5, using: &chance) {
            case 0: changed.request.method = "PATCH"
            case 1:
                changed.request.target = changed.request.target.replacing(
                    "/functions/", with: "/functions/z", maxReplacements: 1)
            case 2: changed.body.append(0)
            case 3: changed.request.headers["Host"] = "127.0.0.1:3002"
            default: changed.request.target += changed.request.target.contains("?") ? "&more=1" : "?more=1"
            }
            let failure = #expect(throws: LambdaFailure.self, "seed \(seed): \(changed.request)") {
                try changed.verify()
            }
            #expect(failure?.name == "InvalidSignatureException")
        }
    }

    @Test func `an x-amz header that is not signed is refused`() async throws {
        var signed = try await Self.signed(1, seed: 1)[0]
        signed.request.headers.add("X-Amz-Invocation-Type", "Event")
        let failure = #expect(throws: LambdaFailure.self) { try signed.verify() }
        #expect(failure?.message.contains("'x-amz-invocation-type' must be a 'SignedHeader'") == true)
    }

    @Test func `a signature is good for fifteen minutes`() async throws {
        for signed in try await Self.signed(60, seed: 7) {
            let isPresigned = signed.request.headers["authorization"] == nil
            let end = isPresigned ? 60 : 900
            #expect(throws: Never.self) { try signed.verify(now: signed.time + end) }
            #expect(throws: Never.self) { try signed.verify(now: signed.time - 900) }
            let late = #expect(throws: LambdaFailure.self) { try signed.verify(now: signed.time + end + 1) }
            #expect(late?.message.hasPrefix("Signature expired: ") == true)
            let early = #expect(throws: LambdaFailure.self) { try signed.verify(now: signed.time - 901) }
            #expect(early?.message.hasPrefix("Signature not yet current: ") == true)
        }
    }

    @Test func `other keys, services and regions are refused as the service does`() async throws {
        let signed = try await Self.signed(1, seed: 3)[0]
        func refusal(_ keys: [String: String], _ region: String = "us-east-1", _ services: [String] = ["lambda"])
            -> String?
        {
            let check = SignatureCheck(keys: AccessKeys(keys), region: region)
            return #expect(throws: LambdaFailure.self) { try signed.verify(services: services, by: check) }?.name
        }
        #expect(refusal(["OTHER": "x"]) == "UnrecognizedClientException")
        #expect(refusal(["AKIDEXAMPLE": "wrong"]) == "InvalidSignatureException")
        #expect(
            refusal(["AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"], "eu-west-1")
                == "InvalidSignatureException")
        #expect(
            refusal(["AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"], "us-east-1", ["sqs"])
                == "InvalidSignatureException")
    }

    @Test(arguments: [
        ("", "MissingAuthenticationTokenException"), ("Basic abc", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 nothing", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host",
            "IncompleteSignatureException"
        ),
        ("AWS4-HMAC-SHA256 Credential=A, SignedHeaders=host, Signature=1", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=A/20260101/r/lambda/aws4_request, SignedHeaders=Host, Signature=1",
            "IncompleteSignatureException"
        ),
        (
            "AWS4-HMAC-SHA256 Credential=A/20260102/r/lambda/aws4_request, SignedHeaders=host, Signature=1",
            "InvalidSignatureException"
        ),
        (
            "AWS4-HMAC-SHA256 Credential=A/20260101/r/lambda/aws4_request, SignedHeaders=host, Signature=1",
            "UnrecognizedClientException"
        ),
    ])
    func `what is no signature is told apart`(authorization: String, name: String) {
        var request = HTTPRequest(
            method: "GET", target: "/", headers: HeaderFields([("X-Amz-Date", "20260101T000000Z"), ("Host", "a")]))
        if !authorization.isEmpty { request.headers.add("Authorization", authorization) }
        let failure = #expect(throws: LambdaFailure.self) {
            try Self.check.checkHead(request, services: ["lambda"], now: 1_767_225_600).check(request, body: [])
        }
        #expect(failure?.name == name)
        #expect(failure?.status == 403)
    }

    @Test func `a security token that is none of ours is refused`() async throws {
        var signed = try await Self.signed(1, seed: 4)[0]
        signed.request.headers.add("X-Amz-Security-Token", "token")
        let failure = #expect(throws: LambdaFailure.self) { try signed.verify() }
        #expect(failure?.name == "UnrecognizedClientException")
    }

    @Test func `spoilt headers of a signature give an error, never a crash`() async throws {
        let signed = try await Self.signed(20, seed: 11)
        var chance = SeededChance(seed: .random(in: .min ... .max))
        for _ in 0..<3000 {
            var spoilt = signed.randomElement(using: &chance)!
            var text = Array((spoilt.request.headers["authorization"] ?? spoilt.request.target).utf8)
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                let at = Int.random(in: text.indices, using: &chance)
                text[at] = UInt8.random(in: 32...126, using: &chance)
            }
            let string = String(decoding: text, as: UTF8.self)
            let isChanged = string != (spoilt.request.headers["authorization"] ?? spoilt.request.target)
            if spoilt.request.headers["authorization"] != nil {
                spoilt.request.headers["authorization"] = string
            } else {
                spoilt.request.target = string
            }
            // Some changes mean the same: white space between parts, an escape's letter case.
            if isChanged { _ = try? spoilt.verify() }
        }
    }

    @Test func `times of signatures`() {
        #expect(SigningTime.seconds("20261123T035156Z") == 1_795_405_916)
        #expect(SigningTime.text(1_795_405_916) == "20261123T035156Z")
        #expect(SigningTime.seconds("20261323T035156Z") == nil && SigningTime.seconds("2026-11-23") == nil)
    }

    @Test func `a file of keys is read, and what is wrong in it is told without secrets`() throws {
        let keys = try AccessKeys(parsing: "# the desk's\nAKIDEXAMPLE secret\n\nOTHER  more\n")
        #expect(keys.ids == ["AKIDEXAMPLE", "OTHER"])
        #expect(keys.secret(of: "OTHER") == "more")
        for text in ["", "AKID", "A b c", "A hidden\nA hidden", "A/B hidden"] {
            let failure = #expect(throws: AccessKeys.Failure.self) { try AccessKeys(parsing: text) }
            #expect(failure?.description.contains("hidden") == false)
        }
    }
}
