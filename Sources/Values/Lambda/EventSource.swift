/// Where the events of a mapping come from: `EventSourceArn`.
package enum EventSource: Hashable, Sendable {
    /// arn:aws:sqs:REGION:ACCOUNT:NAME
    case queue(String)
    /// arn:forkless:schedule:REGION:ACCOUNT:rate(5 minutes), or cron(...), and ?missed=skip|once|all&overlap=allow; the
    /// expression as it was written. `overlaps`: a run may begin before the one before it has ended.
    case schedule(String, missed: Missed, overlaps: Bool)
    /// arn:forkless:directory:REGION:ACCOUNT:/PATH?pattern=*.xml&after=keep|delete|move:/DIRECTORY; no pattern: every file.
    case directory(String, pattern: String?, after: Afterwards)

    /// What becomes of the runs of a schedule that fell into a time when the node was down.
    package enum Missed: String, Hashable, Sendable, CaseIterable {
        case skip, once, all
    }

    /// What becomes of a file once its event has succeeded.
    package enum Afterwards: Hashable, Sendable {
        case keep, delete
        /// Moved to a directory of the same file system.
        case move(String)
    }

    /// Whether the queue keeps the order of its groups.
    package var isOrdered: Bool { if case .queue(let name) = self { name.hasSuffix(".fifo") } else { false } }

    /// - Throws: InvalidParameterValueException for what this node cannot read from. Whether a schedule's expression is
    ///   one only the scheduler knows.
    package init(arn: String, account: LambdaAccount) throws(LambdaFailure) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", arn.utf8.count <= 4096 else {
            throw Self.refusal(arn, "it is no ARN")
        }
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
        let (none, options) = try options(text[text.index(after: end)...], ["missed", "overlap"], arn)
        guard none.isEmpty else { throw refusal(arn, "after the schedule only ?missed= and &overlap= may follow") }
        guard let missed = Missed(rawValue: options["missed"] ?? "once") else {
            throw refusal(arn, "missed= is skip, once or all")
        }
        guard ["allow", "forbid"].contains(options["overlap"] ?? "forbid") else {
            throw refusal(arn, "overlap= is allow or forbid")
        }
        return .schedule(expression, missed: missed, overlaps: options["overlap"] == "allow")
    }

    private static func directory(_ text: String, _ arn: String) throws(LambdaFailure) -> EventSource {
        let (path, options) = try options(text[...], ["pattern", "after"], arn)
        guard isPath(path) else { throw refusal(arn, "the path must be absolute, without \"..\"") }
        if let pattern = options["pattern"], pattern.contains("/") {
            throw refusal(arn, "a pattern is of names in the directory, such as ?pattern=*.xml")
        }
        let after: Afterwards
        switch options["after"] {
        case nil, "keep": after = .keep
        case "delete": after = .delete
        case let move? where move.hasPrefix("move:") && isPath(move.dropFirst(5)) && move.dropFirst(5) != path:
            after = .move(String(move.dropFirst(5)))
        default: throw refusal(arn, "after= is keep, delete or move:/ANOTHER/DIRECTORY")
        }
        return .directory(String(path), pattern: options["pattern"], after: after)
    }

    /// What stands before a "?", and the options NAME=VALUE after it, parted by "&".
    private static func options(
        _ text: Substring, _ known: [String], _ arn: String
    ) throws(LambdaFailure) -> (Substring, [String: String]) {
        guard let mark = text.firstIndex(of: "?") else { return (text, [:]) }
        var options: [String: String] = [:]
        for pair in text[text.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false) {
            let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2, known.contains(words[0]), !words[1].isEmpty, options[words[0]] == nil else {
                throw refusal(
                    arn,
                    "\(String(reflecting: String(pair))) is no option; each of \(known.joined(separator: ", ")) may stand once, as NAME=VALUE"
                )
            }
            options[words[0]] = words[1]
        }
        return (text[..<mark], options)
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
