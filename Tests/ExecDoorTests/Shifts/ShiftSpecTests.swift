import ExecDoor
import JSON
import Testing

/// What can be asked for.
struct ShiftSpecTests {
    private func spec(_ text: String) throws -> ShiftSpec { try ShiftSpec(json: try JSONParser.parse(text)) }

    @Test func `a specification is read as it was written`() throws {
        let text = """
            {"program":"/usr/bin/jq","to":"function=score","mode":"shadow","comparePercent":20,"controlPercent":10,
            "allow":["times","stdout:regex=run [0-9]+"],"outputFiles":["out.csv"],
            "limits":{"differences":0,"errorPercent":5,"latencyPercent":150,"minimum":50},"promote":["shadow:200","canary=10:500","full"]}
            """
        let spec = try spec(text)
        #expect(spec.target == ShiftTarget(.function, "score"))
        #expect(spec.promotion?.count == 3)
        #expect(try ShiftSpec(json: spec.json) == spec)
        #expect(spec.limits.text == "0 differences, 5 points more errors, p95 at 150 % of the original's")
    }

    @Test(arguments: [
        ("{}", "program: expected a string, found nothing"),
        ("{\"program\":\"jq\",\"mode\":\"measure\"}", "absolute path"),
        ("{\"program\":\"/jq\",\"mode\":\"canary\",\"to\":\"container\"}", "a canary needs 1 to 99"),
        (
            "{\"program\":\"/jq\",\"mode\":\"full\",\"percent\":10,\"to\":\"container\"}",
            "only a canary has a percentage"
        ),
        ("{\"program\":\"/jq\",\"mode\":\"full\"}", "needs --to"),
        ("{\"program\":\"/jq\",\"mode\":\"full\",\"to\":\"cloud\"}", "no place to shift calls to"),
        ("{\"program\":\"/jq\",\"mode\":\"full\",\"to\":\"function\"}", "which function?"),
        ("{\"program\":\"/jq\",\"mode\":\"measure\",\"colour\":1}", "colour: not a known field"),
        (
            "{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"limits\":{\"errors\":1}}",
            "limits.errors: not a known field"
        ),
        (
            "{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"allow\":[\"all\"]}",
            "a rule for what may differ"
        ),
        ("{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"outputFiles\":[\"../x\"]}", "without .."),
        ("{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"promote\":[\"full\"]}", "two steps or more"),
        (
            "{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"promote\":[\"canary=10:5\",\"full\"]}",
            "begins where the shift does"
        ),
        (
            "{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"promote\":[\"shadow:5\",\"measure\"]}",
            "goes forward"
        ),
        (
            "{\"program\":\"/jq\",\"mode\":\"shadow\",\"to\":\"standby\",\"promote\":[\"shadow\",\"full\"]}",
            "after how many calls"
        ),
        (
            "{\"program\":\"/jq\",\"mode\":\"full\",\"to\":\"standby\",\"comparePercent\":10}",
            "comparePercent is for a canary"
        ),
    ]) func `what makes no sense is refused with the reason`(text: String, reason: String) {
        let problem = #expect(throws: ShiftProblem.self) { try spec(text) }
        #expect(problem?.description.contains(reason) == true, "\(problem?.description ?? "")")
    }

    @Test(arguments: ["", "canary", "canary=0:5", "canary=100:5", "shadow:0", "shadow:x", "full=3", "canary=10:5:6"])
    func `a step of a promotion that makes no sense is refused`(text: String) {
        #expect(throws: ShiftProblem.self) { try PromotionStep(text) }
    }
}
