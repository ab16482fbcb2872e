import Lambda
import Testing

struct SourceAndDestinationTests {
    private let account = LambdaAccount()

    @Test func `sources are queues, schedules and directories`() throws {
        func source(_ arn: String) throws -> EventSource { try EventSource(arn: arn, account: account) }
        #expect(try source("arn:aws:sqs:us-east-1:000000000000:orders.fifo") == .queue("orders.fifo"))
        #expect(try source("arn:aws:sqs:us-east-1:000000000000:orders.fifo").isOrdered)
        let schedule = "arn:forkless:schedule:us-east-1:000000000000:"
        #expect(try source(schedule + "rate(5 minutes)") == .schedule("rate(5 minutes)", missed: .once, overlaps: false))
        #expect(try source(schedule + "cron(0 18 ? * MON-FRI *)?missed=all&overlap=allow")
            == .schedule("cron(0 18 ? * MON-FRI *)", missed: .all, overlaps: true))
        let directory = "arn:forkless:directory:us-east-1:000000000000:"
        #expect(try source(directory + "/in") == .directory("/in", pattern: nil, after: .keep))
        #expect(try source(directory + "/in?pattern=*.xml&after=move:/done") == .directory("/in", pattern: "*.xml", after: .move("/done")))
        for wrong in [
            schedule + "every day", schedule + "rate(1 day)?missed=never", schedule + "rate(1 day", directory + "in", directory + "/a/../b",
            directory + "/a?pattern=", directory + "/a?glob=*", directory + "/a?pattern=b/*", "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            "arn:aws:sqs:eu-west-1:000000000000:q", "arn:aws:sqs:us-east-1:111111111111:q", "arn:aws:sqs:us-east-1:000000000000:a/b", "q", "",
        ] {
            let failure = #expect(throws: LambdaFailure.self, "\(wrong)") { try source(wrong) }
            #expect(failure?.name == "InvalidParameterValueException")
        }
    }

    @Test func `destinations are functions, queues and directories`() throws {
        func destination(_ arn: String) throws -> Destination { try Destination(arn: arn, account: account) }
        #expect(try destination("arn:aws:sqs:us-east-1:000000000000:dead") == .queue("dead"))
        #expect(try destination("arn:forkless:directory:us-east-1:000000000000:/out") == .directory("/out"))
        guard case .function(let reference) = try destination(account.function("book", "live")) else {
            Issue.record("no function")
            return
        }
        #expect(reference.name == "book" && reference.qualifier == "live")
        for wrong in ["arn:aws:sns:us-east-1:000000000000:t", "arn:aws:s3:::bucket", "kafka://t", "", "arn:aws:sqs:us-east-1:000000000000:"] {
            #expect(throws: LambdaFailure.self, "\(wrong)") { try destination(wrong) }
        }
    }
}
