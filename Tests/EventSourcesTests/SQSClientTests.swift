import EventSources
import HTTPServing
import JSON
import Linux
import Store
import TestKit
import Testing

/// The door, driven by boto3 and the aws command line.
@Suite(.serialized) struct SQSClientTests {
    /// Serves SQS at a port of its own.
    final class Door: HTTPService {
        let sqs: SQSService
        init(_ sqs: SQSService) { self.sqs = sqs }

        func receive(_ exchange: any HTTPExchange) -> BodyReading {
            .whole(limit: SQSService.bodyLimit) { [sqs] body in
                guard SQSService.isMeant(by: exchange.request) else { return exchange.respond(HTTPResponse(404)) }
                sqs.serve(exchange, body: body)
            }
        }
    }

    final class Served: Sendable {
        let directory: TemporaryDirectory
        let store: StateDatabase
        let loops = ServingLoops(count: 1)
        let listener: HTTPListener
        let url: String

        init() async throws {
            directory = try TemporaryDirectory("events")
            let store = try StateDatabase(path: directory.path("node.db"), migrations: EventSourceTables.migrations)
            self.store = store
            let queues = DurableQueues(store: store, place: QueuePlace(region: "us-east-1"))
            let sqs = SQSService(queues)
            listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: loops.loops[0]) { _ in Door(sqs) }
            url = "http://\(listener.address!)"
        }

        func close() async {
            await listener.close(after: .zero)
            await loops.shutDown()
            await store.close()
        }
    }

    static let environment = [
        "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1",
        "PATH=/usr/bin:/bin", "HOME=/nonexistent", "AWS_EC2_METADATA_DISABLED=true",
    ]

    @Test func `boto3 drives every operation`() async throws {
        let python = try await PythonEnvironment.shared()
        let served = try await Served()
        let script = try served.directory.write(Self.script, to: "drive.py")
        let outcome = try await CommandRunner.run(
            [python.python, script, served.url], environment: Self.environment, within: .seconds(120))
        #expect(outcome.status == .exited(0), "\(outcome.text)\n\(outcome.errorText)")
        #expect(outcome.text.hasSuffix("all good\n"))
        await served.close()
    }

    @Test func `the aws command line sends, receives and moves dead letters back`() async throws {
        let python = try await PythonEnvironment.shared()
        let served = try await Served()
        func aws(_ words: String...) async throws -> JSONValue {
            let outcome = try await CommandRunner.run(
                [python.aws, "sqs"] + words + ["--endpoint-url", served.url, "--output", "json"],
                environment: Self.environment, within: .seconds(60))
            #expect(outcome.status == .exited(0), "\(words): \(outcome.errorText)")
            return outcome.text.isEmpty ? .null : try JSONParser.parse(outcome.text)
        }
        let url = try #require(try await aws("create-queue", "--queue-name", "q")["QueueUrl"]?.string)
        #expect(url == served.url + "/000000000000/q")
        _ = try await aws("create-queue", "--queue-name", "dead")
        _ = try await aws(
            "set-queue-attributes", "--queue-url", url, "--attributes",
            #"{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":\"1\"}"}"#
        )
        _ = try await aws("send-message", "--queue-url", url, "--message-body", "hello")
        for expected in [1, 0] {
            let messages = try await aws("receive-message", "--queue-url", url, "--visibility-timeout", "0")["Messages"]
            #expect((messages?.array?.count ?? 0) == expected)
        }
        let started = try await aws(
            "start-message-move-task", "--source-arn", "arn:aws:sqs:us-east-1:000000000000:dead")
        #expect(started["TaskHandle"]?.string != nil)
        try await eventually(within: .seconds(30)) {
            try await aws("list-message-move-tasks", "--source-arn", "arn:aws:sqs:us-east-1:000000000000:dead")[
                "Results"]?[0]?["Status"]?
                .string == "COMPLETED"
        }
        let back = try await aws("receive-message", "--queue-url", url)["Messages"]?[0]
        #expect(back?["Body"]?.string == "hello")
        #expect(back?["MD5OfBody"]?.string == "5d41402abc4b2a76b9719d911017c592")
        await served.close()
    }

    @Test func `a request of the old protocol is told what to use`() async throws {
        let served = try await Served()
        let outcome = try await CommandRunner.run(
            ["curl", "-s", "-d", "Action=ListQueues&Version=2012-11-05", served.url + "/"], within: .seconds(30))
        #expect(outcome.text.contains("UnsupportedOperation") && outcome.text.contains("JSON protocol"))
        await served.close()
    }

    static let script = #"""
        import hashlib, json, struct, sys, threading, time
        import boto3
        from botocore.config import Config

        sqs = boto3.client("sqs", endpoint_url=sys.argv[1], config=Config(retries={"max_attempts": 0}))

        def fails(code, call, **arguments):
            try:
                call(**arguments)
            except sqs.exceptions.ClientError as error:
                found = error.response["Error"]["Code"]
                assert found == code, (found, code, error)
                assert error.response["Error"]["Message"], error
                return error
            raise AssertionError("no error %s from %s" % (code, arguments))

        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "60"}, tags={"team": "a"})["QueueUrl"]
        assert sqs.create_queue(QueueName="q")["QueueUrl"] == url
        assert sqs.get_queue_url(QueueName="q")["QueueUrl"] == url
        fails("QueueAlreadyExists", sqs.create_queue, QueueName="q", Attributes={"VisibilityTimeout": "61"})
        error = fails("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="none")
        assert isinstance(error, sqs.exceptions.QueueDoesNotExist), type(error)
        fails("InvalidParameterValue", sqs.create_queue, QueueName="bad name")
        fails("InvalidAttributeValue", sqs.create_queue, QueueName="x", Attributes={"DelaySeconds": "901"})
        fails("InvalidAttributeName", sqs.create_queue, QueueName="x", Attributes={"Policy": "{}"})
        fails("AWS.SimpleQueueService.UnsupportedOperation", sqs.add_permission, QueueUrl=url, Label="l",
              AWSAccountIds=["1"], Actions=["SendMessage"])

        assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a"}
        sqs.tag_queue(QueueUrl=url, Tags={"desk": "b"})
        sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
        assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"desk": "b"}

        # One message with attributes, and the digests that clients check.
        attributes = {"n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
                      "s": {"DataType": "String.x", "StringValue": "\u00e9"}}
        def digest(attributes):
            data = b""
            for name in sorted(attributes):
                value = attributes[name]
                for part in (name.encode(), value["DataType"].encode()):
                    data += struct.pack("!I", len(part)) + part
                raw = value["BinaryValue"] if "BinaryValue" in value else value["StringValue"].encode()
                data += (b"\x02" if "BinaryValue" in value else b"\x01") + struct.pack("!I", len(raw)) + raw
            return hashlib.md5(data).hexdigest()
        body = "h\u00e9llo \U0001F600"
        sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes,
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
        assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
        assert sent["MD5OfMessageAttributes"] == digest(attributes)
        got = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])["Messages"][0]
        assert got["Body"] == body and got["MessageId"] == sent["MessageId"]
        assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
        assert got["MessageAttributes"]["b"]["BinaryValue"] == b"\x00\x01"
        assert got["Attributes"]["ApproximateReceiveCount"] == "1" and got["Attributes"]["AWSTraceHeader"].startswith("Root=")
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert counts["ApproximateNumberOfMessagesNotVisible"] == "1" and counts["QueueArn"].endswith(":q"), counts
        assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"] == {"QueueArn": counts["QueueArn"]}
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=0)
        again = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"], MessageAttributeNames=["n"])["Messages"][0]
        assert again["Attributes"] == {"ApproximateReceiveCount": "2"} and list(again["MessageAttributes"]) == ["n"]
        fails("AWS.SimpleQueueService.MessageNotInflight", sqs.change_message_visibility, QueueUrl=url,
              ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=3)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
        fails("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="x")
        fails("InvalidMessageContents", sqs.send_message, QueueUrl=url, MessageBody="\u0001")
        fails("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x" * (1024 * 1024 + 1))
        fails("InvalidParameterValue", sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)
        fails("InvalidAddress", sqs.purge_queue, QueueUrl="http://elsewhere/nowhere")

        # Batches.
        batch = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": "m%d" % i} for i in range(9)]
            + [{"Id": "bad", "MessageBody": "x", "DelaySeconds": 1000}])
        assert len(batch["Successful"]) == 9 and batch["Failed"][0]["Id"] == "bad" and batch["Failed"][0]["SenderFault"], batch
        fails("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=url,
              Entries=[{"Id": str(i), "MessageBody": "m"} for i in range(11)])
        fails("AWS.SimpleQueueService.EmptyBatchRequest", sqs.send_message_batch, QueueUrl=url, Entries=[])
        fails("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=url,
              Entries=[{"Id": "1", "MessageBody": "m"}, {"Id": "1", "MessageBody": "m"}])
        fails("AWS.SimpleQueueService.InvalidBatchEntryId", sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "a b", "MessageBody": "m"}])
        fails("AWS.SimpleQueueService.BatchRequestTooLong", sqs.send_message_batch, QueueUrl=url,
              Entries=[{"Id": str(i), "MessageBody": "x" * 300000} for i in range(4)])
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert len(messages) == 9, messages
        changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 60} for i, m in enumerate(messages)])
        assert len(changed["Successful"]) == 9 and not changed.get("Failed")
        deleted = sqs.delete_message_batch(QueueUrl=url, Entries=[
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
            + [{"Id": "bad", "ReceiptHandle": "x"}])
        assert len(deleted["Successful"]) == 9 and deleted["Failed"][0]["Code"] == "ReceiptHandleIsInvalid", deleted
        assert "Messages" not in sqs.receive_message(QueueUrl=url)

        # A long poll is answered when a message comes.
        def later():
            time.sleep(0.3)
            boto3.client("sqs", endpoint_url=sys.argv[1]).send_message(QueueUrl=url, MessageBody="late")
        thread = threading.Thread(target=later)
        thread.start()
        assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"] == "late"
        thread.join()
        sqs.send_message(QueueUrl=url, MessageBody="to be purged")
        sqs.purge_queue(QueueUrl=url)
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        fails("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)

        # FIFO: order, deduplication, one receiver a group.
        fails("InvalidParameterValue", sqs.create_queue, QueueName="f.fifo")
        fifo = sqs.create_queue(QueueName="f.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
        fails("MissingParameter", sqs.send_message, QueueUrl=fifo, MessageBody="x")
        numbers = [sqs.send_message(QueueUrl=fifo, MessageBody=str(i), MessageGroupId="g")["SequenceNumber"] for i in range(3)]
        assert numbers == sorted(numbers) and len(numbers[0]) == 20
        assert sqs.send_message(QueueUrl=fifo, MessageBody="0", MessageGroupId="g")["SequenceNumber"] == numbers[0]
        first = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, MessageSystemAttributeNames=["All"])["Messages"]
        assert [m["Body"] for m in first] == ["0", "1"] and first[0]["Attributes"]["MessageGroupId"] == "g"
        assert "Messages" not in sqs.receive_message(QueueUrl=fifo)
        for m in first:
            sqs.delete_message(QueueUrl=fifo, ReceiptHandle=m["ReceiptHandle"])
        assert sqs.receive_message(QueueUrl=fifo)["Messages"][0]["Body"] == "2"

        # Dead letters, there and back.
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
        fails("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"RedrivePolicy": policy})
        assert json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"])["maxReceiveCount"] == 1
        assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
        sqs.send_message(QueueUrl=url, MessageBody="poison")
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "poison"
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        letter = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0, MessageSystemAttributeNames=["All"])["Messages"][0]
        assert letter["Attributes"]["DeadLetterQueueSourceArn"].endswith(":q"), letter
        sqs.start_message_move_task(SourceArn=arn)
        for _ in range(200):
            task = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
            if task["Status"] == "COMPLETED":
                break
            time.sleep(0.05)
        assert task["Status"] == "COMPLETED" and task["ApproximateNumberOfMessagesMoved"] == 1, task
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "poison"
        fails("ResourceNotFoundException", sqs.cancel_message_move_task, TaskHandle="none")

        # Pages.
        for i in range(5):
            sqs.create_queue(QueueName="page-%d" % i)
        names = [u.rsplit("/", 1)[1] for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix="page-", PaginationConfig={"PageSize": 2}) for u in page.get("QueueUrls", [])]
        assert names == ["page-%d" % i for i in range(5)], names
        for u in sqs.list_queues()["QueueUrls"]:
            sqs.delete_queue(QueueUrl=u)
        assert "QueueUrls" not in sqs.list_queues()
        print("all good")
        """#
}
