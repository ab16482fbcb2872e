/// Where the events of a mapping come from: `EventSourceArn`.
package enum EventSource: Hashable, Sendable {
    /// arn:aws:sqs:REGION:ACCOUNT:NAME
    case queue(String)
    /// arn:forkless:schedule:REGION:ACCOUNT:rate(5 minutes), or cron(...); the expression as it was written.
    case schedule(String, missed: Missed)
    /// arn:forkless:directory:REGION:ACCOUNT:/PATH?pattern=*.xml; nil: every file.
    case directory(String, pattern: String?)

    /// What becomes of the runs of a schedule that fell into a time when the node was down.
    package enum Missed: String, Hashable, Sendable, CaseIterable {
        case skip, once, all
    }

    /// Whether the queue keeps the order of its groups.
    package var isOrdered: Bool { if case .queue(let name) = self { name.hasSuffix(".fifo") } else { false } }

    /// - Throws: InvalidParameterValueException for what this node cannot read from. Whether a schedule's expression is
    ///   one only the scheduler knows.
    package init(arn: String, account: LambdaAccount) throws(LambdaFailure) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", arn.utf8.count <= 4096 else { throw Self.refusal(arn, "it is no ARN") }
        let mine = (parts[3].isEmpty || parts[3] == account.region) && (parts[4].isEmpty || parts[4] == account.id)
        guard mine else {
            throw Self.refusal(arn, "it is of another region or account than \(account.region), \(account.id)")
        }
        switch (parts[1], parts[2]) {
        case (_, "sqs"):
            guard Destination.isQueueName(parts[5]) else { throw Self.refusal(arn, "that is no name of a queue") }
            self = .queue(parts[5])
        case ("forkless", "schedule"): self = try Self.schedule(parts[5], arn)
        case ("forkless", "directory"): self = try Self.directory(parts[5], arn)
        default: throw Self.refusal(arn, "this node has no such service")
        }
    }

    private static func schedule(_ text: String, _ arn: String) throws(LambdaFailure) -> EventSource {
        // An expression of cron has question marks of its own: only what follows its last parenthesis is an option.
        guard let end = text.lastIndex(of: ")") else {
            throw refusal(arn, "a schedule is rate(...) or cron(...)")
        }
        let expression = String(text[...end])
        guard expression.hasPrefix("rate(") || expression.hasPrefix("cron(") else {
            throw refusal(arn, "a schedule is rate(...) or cron(...)")
        }
        let rest = text[text.index(after: end)...]
        if rest.isEmpty { return .schedule(expression, missed: .once) }
        guard rest.hasPrefix("?missed="), let missed = Missed(rawValue: String(rest.dropFirst(8))) else {
            throw refusal(arn, "after the schedule only ?missed=skip, ?missed=once or ?missed=all may follow")
        }
        return .schedule(expression, missed: missed)
    }

    private static func directory(_ text: String, _ arn: String) throws(LambdaFailure) -> EventSource {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, isPath(path) else { throw refusal(arn, "the path must be absolute, without \"..\"") }
        guard parts.count == 2 else { return .directory(String(path), pattern: nil) }
        let pattern = parts[1].dropFirst(8)
        guard parts[1].hasPrefix("pattern="), !pattern.isEmpty, !pattern.contains("/") else {
            throw refusal(arn, "after the path only ?pattern=NAMES may follow, such as ?pattern=*.xml")
        }
        return .directory(String(path), pattern: String(pattern))
    }

    private static func refusal(_ arn: String, _ why: String) -> LambdaFailure {
        .invalidParameter(
            "Unrecognized event source \(String(reflecting: String(arn.prefix(350)))): \(why). Give a queue (arn:aws:sqs:REGION:"
                + "ACCOUNT:NAME), a schedule (arn:forkless:schedule:REGION:ACCOUNT:rate(5 minutes)) or a directory "
                + "(arn:forkless:directory:REGION:ACCOUNT:/PATH).")
    }

    /// An absolute path without "..", "." or empty parts.
    package static func isPath(_ text: some StringProtocol) -> Bool {
        guard text.hasPrefix("/"), text.utf8.count <= 4095, !text.utf8.contains(0) else { return false }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
    }
}
