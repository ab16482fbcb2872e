import EventSources
import HTTPServing
import JSON
import Store
import Synchronization
import TestKit
import Testing

@Suite struct SQSFuzzTests {
    @Test func `spoilt requests are answered with errors of the client`() async throws {
        let bench = try EventBench()
        try await bench.makeQueue("q")
        let sqs = SQSService(bench.queues)
        var chance = SeededChance(seed: 5)
        let operations = [
            "SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch",
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch", "CreateQueue", "GetQueueUrl", "ListQueues", "GetQueueAttributes",
            "SetQueueAttributes",
            "TagQueue", "UntagQueue", "StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask",
            "Nonsense", "",
        ]
        let url = "http://h/000000000000/q"
        let seeds = [
            #"{"QueueUrl":"\#(url)","MessageBody":"b","MessageAttributes":{"a":{"DataType":"String","StringValue":"x"}},"DelaySeconds":1}"#,
            #"{"QueueUrl":"\#(url)","Entries":[{"Id":"1","MessageBody":"b","ReceiptHandle":"cmVjZWlwdC8xLzE=","VisibilityTimeout":1}]}"#,
            #"{"QueueUrl":"\#(url)","MaxNumberOfMessages":3,"AttributeNames":["All"],"WaitTimeSeconds":0}"#,
            #"{"QueueName":"n","Attributes":{"DelaySeconds":"1","RedrivePolicy":"{}"},"tags":{"a":"b"}}"#,
            #"{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:q","MaxResults":1,"TaskHandle":"x"}"#,
        ]
        let answered = Mutex<[Int: Int]>([:])
        let total = 4000
        for number in 0..<total {
            var body = Array(seeds.randomElement(using: &chance)!.utf8)
            for _ in 0..<Int.random(in: 0...4, using: &chance) where !body.isEmpty {
                let at = Int.random(in: 0..<body.count, using: &chance)
                switch Int.random(in: 0..<4, using: &chance) {
                case 0: body[at] = UInt8.random(in: .min ... .max, using: &chance)
                case 1: body.remove(at: at)
                case 2:
                    body.insert(
                        contentsOf: Array(
                            ["null", "-1", "{}", "[]", "\"\"", "99999999999"].randomElement(using: &chance)!.utf8),
                        at: at)
                default: body.removeLast(body.count - at)
                }
            }
            let operation = operations.randomElement(using: &chance)!
            _ = sqs.answer(operation, body: body, host: "h") { response in
                answered.withLock { $0[number] = response.status }
            }
        }
        bench.clock.advance(by: .seconds(30))
        try await eventually(within: .seconds(60), "all are answered, \(chance)") {
            bench.clock.advance(by: .seconds(30))
            return answered.withLock { $0.count } == total
        }
        #expect(answered.withLock { Set($0.values) }.subtracting([200, 400, 404]) == [])
        await bench.stop()
    }
}
