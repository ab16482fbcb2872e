internal import Functions
internal import JSON
internal import Lambda
internal import Linux

/// What becomes of the messages of a batch once its function has answered. Pure.
///
/// Invariants
/// 1. A message is deleted only when the function has succeeded with it. (test: `a batch that fails is not deleted`)
/// 2. Of a group with order nothing behind the first message that failed is deleted, whatever the function says of it; that one
///    message has failed, those behind it were held back, which does not count towards `maxReceiveCount`.
///    (test: `what follows a failed message of a group stays in order`)
/// 3. A report that cannot be understood fails the whole batch, as the service does it. (test: `a report that names strangers fails the batch`)
struct BatchVerdict {
    var settlement = BatchSettlement()
    /// How many messages the function has failed with.
    var failures = 0
    /// Nothing of this mapping has a chance before this.
    var pauseUntil: Timestamp?
    /// `LastProcessingResult`
    var summary = "OK"

    /// - Parameters:
    ///   - showAt: when what has failed is visible again.
    ///   - refusals: batches in a row that could not be run, this one included.
    init(
        _ outcome: InvocationOutcome, _ messages: [ReceivedMessage], reportsItems: Bool, isOrdered: Bool,
        showAt: Timestamp,
        refusals: Int, rule: RetryRule, now: Timestamp
    ) {
        switch outcome {
        case .failed(let failure):
            // The messages were not tried: they come back as they were, and the queue is left alone for a while.
            let time = now + rule.backOff(refusals)
            settlement.release = messages.map { ($0.receipt, time) }
            pauseUntil = time
            summary = "PROBLEM: \(failure.name): \(failure.message)"
        case .answered(let answer) where answer.functionError != nil:
            fail(from: 0, messages, isOrdered, showAt, now)
            summary = "PROBLEM: Function call failed"
        case .answered(let answer):
            guard reportsItems else {
                settlement.delete = messages.map(\.receipt)
                return
            }
            guard let failed = Self.failed(answer.payload, messages) else {
                fail(from: 0, messages, isOrdered, showAt, now)
                summary = "PROBLEM: The function's report of failed items is not valid"
                return
            }
            report(failed, messages, isOrdered, showAt, now)
        }
    }

    private mutating func report(
        _ failed: Set<String>, _ messages: [ReceivedMessage], _ isOrdered: Bool, _ showAt: Timestamp, _ now: Timestamp
    ) {
        if !failed.isEmpty { summary = "PROBLEM: Function reported \(failed.count) failed items" }
        if isOrdered {
            let first = messages.firstIndex { failed.contains($0.id) } ?? messages.count
            settlement.delete = messages[..<first].map(\.receipt)
            fail(from: first, messages, true, showAt, now)
        } else {
            for message in messages {
                if failed.contains(message.id) {
                    settlement.showAgain.append((message.receipt, showAt))
                    failures += 1
                } else {
                    settlement.delete.append(message.receipt)
                }
            }
        }
    }

    private mutating func fail(
        from first: Int, _ messages: [ReceivedMessage], _ isOrdered: Bool, _ showAt: Timestamp, _ now: Timestamp
    ) {
        guard first < messages.count else { return }
        if isOrdered {
            failures += 1
            settlement.showAgain.append((messages[first].receipt, showAt))
            // Visible at once, but behind the first one of their group, which holds them back.
            settlement.release += messages[(first + 1)...].map { ($0.receipt, now) }
        } else {
            failures += messages.count - first
            settlement.showAgain += messages[first...].map { ($0.receipt, showAt) }
        }
    }

    /// The ids that a report names; nil when it is none: the rules of "Reporting batch item failures" in the Lambda guide.
    static func failed(_ payload: [UInt8], _ messages: [ReceivedMessage]) -> Set<String>? {
        guard !payload.isEmpty else { return [] }
        guard let answer = try? JSONParser.parse(payload) else { return nil }
        if answer.isNull { return [] }
        guard case .object(let object) = answer else { return nil }
        guard let list = object["batchItemFailures"], !list.isNull else { return [] }
        guard case .array(let items) = list else { return nil }
        let known = Set(messages.map(\.id))
        var failed: Set<String> = []
        for item in items {
            guard let id = item["itemIdentifier"]?.string, known.contains(id) else { return nil }
            failed.insert(id)
        }
        return failed
    }
}
