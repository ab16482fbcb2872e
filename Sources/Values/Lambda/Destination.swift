/// Where the outcome of an event goes: `Destination` of an event invoke config or a mapping, `DeadLetterConfig.TargetArn`.
package enum Destination: Hashable, Sendable {
    /// Invoked asynchronously with the record.
    case function(FunctionReference)
    /// The name of a queue of this node.
    case queue(String)
    /// A directory of this machine; one file for each record.
    case directory(String)

    /// - Throws: InvalidParameterValueException for what this node cannot send to.
    package init(arn: String, account: LambdaAccount) throws(LambdaFailure) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", arn.utf8.count <= 350 else { throw Self.refusal(arn, "it is no ARN") }
        let mine = (parts[3].isEmpty || parts[3] == account.region) && (parts[4].isEmpty || parts[4] == account.id)
        guard mine else {
            throw Self.refusal(arn, "it is of another region or account than \(account.region), \(account.id)")
        }
        switch (parts[1], parts[2]) {
        case (_, "lambda"): self = .function(try FunctionReference(arn))
        case (_, "sqs"):
            guard Self.isQueueName(parts[5]) else { throw Self.refusal(arn, "that is no name of a queue") }
            self = .queue(parts[5])
        case ("forkless", "directory"):
            guard EventSource.isPath(parts[5]) else { throw Self.refusal(arn, "the path must be absolute, without \"..\"") }
            self = .directory(parts[5])
        default: throw Self.refusal(arn, "this node has no such service")
        }
    }

    private static func refusal(_ arn: String, _ why: String) -> LambdaFailure {
        .invalidParameter(
            "The destination \(String(reflecting: String(arn.prefix(350)))) cannot be used: \(why). Give the ARN of a function, "
                + "of a queue (arn:aws:sqs:REGION:ACCOUNT:NAME) or of a directory "
                + "(arn:forkless:directory:REGION:ACCOUNT:/PATH).")
    }

    /// Up to 80 letters, digits, "-" and "_", and ".fifo" at the end of one that keeps an order.
    package static func isQueueName(_ text: some StringProtocol) -> Bool {
        let stem = text.hasSuffix(".fifo") ? Substring(text).dropLast(5) : Substring(text)
        return text.utf8.count <= 80 && FunctionReference.isName(stem)
    }
}
