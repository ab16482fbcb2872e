import Lambda
import TestKit
import Testing

@Suite struct EventSourceTests {
    static let prefix = "arn:forkless:directory:us-east-1:000000000000:"
    static let schedule = "arn:forkless:schedule:us-east-1:000000000000:"

    static let sources: [(String, EventSource)] = [
        ("arn:aws:sqs:us-east-1:000000000000:q.fifo", .queue("q.fifo")),
        ("\(prefix)/in", .directory("/in", pattern: nil, after: .keep)),
        ("\(prefix)/in?pattern=*.xml", .directory("/in", pattern: "*.xml", after: .keep)),
        ("\(prefix)/in?after=delete&pattern=a?.x", .directory("/in", pattern: "a?.x", after: .delete)),
        ("\(prefix)/in?after=move:/done/in", .directory("/in", pattern: nil, after: .move("/done/in"))),
        ("\(schedule)rate(5 minutes)", .schedule("rate(5 minutes)", missed: .once, overlaps: false)),
        (
            "\(schedule)cron(0 18 ? * MON-FRI *)?missed=all&overlap=allow",
            .schedule("cron(0 18 ? * MON-FRI *)", missed: .all, overlaps: true)
        ),
    ]

    @Test(arguments: sources)
    func `a source is read with its options`(_ arn: String, _ source: EventSource) throws {
        #expect(try EventSource(arn: arn, account: LambdaAccount()) == source)
    }

    static let strangers: [String] = [
        "",
        "arn",
        "arn:aws:sqs:us-east-1:000000000000:a b",
        "arn:aws:sqs:eu-west-1:000000000000:q",
        "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        "\(prefix)",
        "\(prefix)in",
        "\(prefix)/a/../b",
        "\(prefix)/in?",
        "\(prefix)/in?pattern=",
        "\(prefix)/in?pattern=a/b",
        "\(prefix)/in?after=burn",
        "\(prefix)/in?after=move:done",
        "\(prefix)/in?after=move:/in",
        "\(prefix)/in?after=keep&after=keep",
        "\(prefix)/in?nonsense=1",
        "\(schedule)at(now)",
        "\(schedule)rate(5 minutes",
        "\(schedule)rate(5 minutes)x",
        "\(schedule)rate(5 minutes)?missed=maybe",
        "\(schedule)rate(5 minutes)?overlap=yes",
    ]

    @Test(arguments: strangers)
    func `what is no source is refused by name`(_ arn: String) {
        let failure = #expect(throws: LambdaFailure.self) { try EventSource(arn: arn, account: LambdaAccount()) }
        #expect(failure?.name == "InvalidParameterValueException")
    }

    @Test func `sources survive whatever comes`() {
        var chance = SeededChance(seed: 13)
        let seeds = [Self.prefix + "/in?pattern=*.xml&after=move:/out", Self.schedule + "cron(0 0 ? * 1 *)?missed=all"]
        let pieces = Array("?&=:/*().,arn \u{0}é".unicodeScalars)
        for _ in 0..<20_000 {
            var text = seeds.randomElement(using: &chance)!.unicodeScalars
            for _ in 0..<Int.random(in: 1...5, using: &chance) {
                let at = text.indices.randomElement(using: &chance) ?? text.startIndex
                if Bool.random(using: &chance), at < text.endIndex {
                    text.remove(at: at)
                } else {
                    text.insert(pieces.randomElement(using: &chance)!, at: at)
                }
            }
            _ = try? EventSource(arn: String(text), account: LambdaAccount())
        }
    }
}
