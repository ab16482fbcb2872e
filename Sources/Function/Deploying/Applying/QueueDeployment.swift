internal import JSON

extension Deployer {
    /// Makes a queue, or sets the attributes that differ.
    mutating func deploy(_ queue: QueueDeclaration) async throws(DeploymentFailure) {
        let what = "queue \(queue.name)"
        let name: JSONObject = ["QueueName": .string(queue.name)]
        guard let found = try await find(Self.sqs("GetQueueUrl", name), what) else {
            let made = try await call(
                Self.sqs("CreateQueue", ["QueueName": .string(queue.name), "Attributes": Self.object(queue.attributes)]), what)
            learn(.queueURL(queue.name), made["QueueUrl"]?.string ?? "")
            return note(DeploymentChange(.created, "queue", queue.name))
        }
        let url = found["QueueUrl"]?.string ?? ""
        learn(.queueURL(queue.name), url)
        let now = try await call(Self.sqs("GetQueueAttributes", ["QueueUrl": .string(url), "AttributeNames": ["All"]]), what)
        let different = queue.attributes.filter { name, value in
            !Self.isEqual(name, value, now["Attributes"]?[name]?.string)
        }
        guard !different.isEmpty else { return note(DeploymentChange(.unchanged, "queue", queue.name)) }
        guard different["FifoQueue"] == nil else {
            throw DeploymentFailure(what, sentence: "it is there and no FIFO queue; that cannot be changed. Choose another name.")
        }
        _ = try await call(
            Self.sqs("SetQueueAttributes", ["QueueUrl": .string(url), "Attributes": Self.object(different)]), what)
        note(DeploymentChange(.updated, "queue", queue.name, details: different.keys.sorted().joined(separator: ", ")))
    }

    /// A request of the SQS protocol in JSON: everything goes to "/", the header tells what is wanted.
    static func sqs(_ operation: String, _ body: JSONObject) -> LambdaRequest {
        LambdaRequest(
            "POST", "/",
            headers: [("X-Amz-Target", "AmazonSQS.\(operation)"), ("Content-Type", "application/x-amz-json-1.0")],
            body: JSONWriter.bytes(.object(body)))
    }

    private static func object(_ texts: [String: String]) -> JSONValue {
        var object = JSONObject()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) { object[name] = .string(text) }
        return .object(object)
    }

    /// RedrivePolicy is JSON in a text, whose members may stand in any order, numbers in quotes or not.
    private static func isEqual(_ name: String, _ wanted: String, _ found: String?) -> Bool {
        guard name == "RedrivePolicy", let found else { return wanted == found }
        guard let one = try? JSONParser.parse(wanted), let other = try? JSONParser.parse(found) else { return false }
        func count(_ value: JSONValue) -> String? { value["maxReceiveCount"].map { $0.string ?? "\($0)" } }
        return one["deadLetterTargetArn"] == other["deadLetterTargetArn"] && count(one) == count(other)
    }
}
