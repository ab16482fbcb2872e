internal import JSON

/// The attributes of a queue that can be set, checked.
///
/// Invariant: every attribute that is accepted has its effect; those whose effect is missing here (a policy, keys of KMS)
/// are refused by name. (test: `an attribute without effect is refused`)
package struct QueueAttributes: Hashable, Sendable {
    package struct Redrive: Hashable, Sendable {
        package var maxReceiveCount: Int
        /// ARN of the dead-letter queue.
        package var target: String
    }

    package enum RedriveAllowance: Hashable, Sendable {
        case all, none
        /// ARNs of queues.
        case queues([String])
    }

    package var isFIFO: Bool
    package var visibilitySeconds = 30
    package var delaySeconds = 0
    package var maximumMessageBytes = QueueLimits.messageBytes
    package var retentionSeconds = 345_600
    package var waitSeconds = 0
    package var redrive: Redrive?
    package var redriveAllowance = RedriveAllowance.all
    package var deduplicatesByContent = false
    /// `DeduplicationScope` = messageGroup.
    package var deduplicatesWithinGroups = false
    /// `FifoThroughputLimit` = perMessageGroupId. There is no limit here; the attribute is kept for tools that compare.
    package var isThroughputPerGroup = false

    package init(isFIFO: Bool) { self.isFIFO = isFIFO }

    /// Changes what `changes` names.
    package mutating func set(_ changes: [String: String], isCreation: Bool) throws(QueueFailure) {
        for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
            try set(name, value, isCreation: isCreation)
        }
        guard !isThroughputPerGroup || deduplicatesWithinGroups else {
            throw .invalidAttributeValue(
                "FifoThroughputLimit", "perMessageGroupId", "it needs DeduplicationScope = messageGroup")
        }
    }

    private mutating func set(_ name: String, _ value: String, isCreation: Bool) throws(QueueFailure) {
        switch name {
        case "VisibilityTimeout": visibilitySeconds = try Self.number(name, value, 0...43_200)
        case "DelaySeconds": delaySeconds = try Self.number(name, value, 0...900)
        case "MaximumMessageSize": maximumMessageBytes = try Self.number(name, value, 1024...QueueLimits.messageBytes)
        case "MessageRetentionPeriod": retentionSeconds = try Self.number(name, value, 60...1_209_600)
        case "ReceiveMessageWaitTimeSeconds": waitSeconds = try Self.number(name, value, 0...20)
        case "RedrivePolicy": redrive = try value.isEmpty ? nil : Self.redrive(value)
        case "RedriveAllowPolicy": redriveAllowance = try value.isEmpty ? .all : Self.allowance(value)
        case "SqsManagedSseEnabled":
            guard value == "false" else {
                throw .invalidAttributeValue(
                    name, value, "queues are not encrypted here; put the state on an encrypted disk")
            }
        case "FifoQueue":
            guard isCreation else {
                throw .invalidAttributeName(name, "FifoQueue can be set only when a queue is made")
            }
            guard value == "true", isFIFO else {
                throw .invalidAttributeValue(
                    name, value, "it is true for queues whose name ends with .fifo, and absent for others")
            }
        case "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit": try setFIFO(name, value)
        case "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds":
            guard value.isEmpty else {
                throw .invalidAttributeName(name, "This attribute has no effect on this node and is refused")
            }
        default: throw .invalidAttributeName(name)
        }
    }

    private mutating func setFIFO(_ name: String, _ value: String) throws(QueueFailure) {
        guard isFIFO else { throw .invalidAttributeName(name, "Only FIFO queues have this attribute") }
        switch (name, value) {
        case ("ContentBasedDeduplication", "true"), ("ContentBasedDeduplication", "false"):
            deduplicatesByContent = value == "true"
        case ("DeduplicationScope", "messageGroup"), ("DeduplicationScope", "queue"):
            deduplicatesWithinGroups = value == "messageGroup"
        case ("FifoThroughputLimit", "perMessageGroupId"), ("FifoThroughputLimit", "perQueue"):
            isThroughputPerGroup = value == "perMessageGroupId"
        default: throw .invalidAttributeValue(name, value, "it is none of this attribute's values")
        }
    }

    private static func number(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws(QueueFailure) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw .invalidAttributeValue(
                name, value, "it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func redrive(_ text: String) throws(QueueFailure) -> Redrive {
        guard let policy = try? JSONParser.parse(text), let target = policy["deadLetterTargetArn"]?.string else {
            throw .invalidAttributeValue(
                "RedrivePolicy", text, "it is a JSON object with deadLetterTargetArn and maxReceiveCount")
        }
        let count =
            policy["maxReceiveCount"]?.integer.map { Int($0) } ?? policy["maxReceiveCount"]?.string.flatMap { Int($0) }
        guard let count, (1...1000).contains(count) else {
            throw .invalidAttributeValue("RedrivePolicy", text, "maxReceiveCount must be a whole number from 1 to 1000")
        }
        return Redrive(maxReceiveCount: count, target: target)
    }

    private static func allowance(_ text: String) throws(QueueFailure) -> RedriveAllowance {
        let policy = try? JSONParser.parse(text)
        switch policy?["redrivePermission"]?.string {
        case "allowAll": return .all
        case "denyAll": return .none
        case "byQueue":
            guard let arns = policy?["sourceQueueArns"].flatMap({ [String](json: $0) }), (1...10).contains(arns.count)
            else {
                throw .invalidAttributeValue(
                    "RedriveAllowPolicy", text, "byQueue needs sourceQueueArns, 1 to 10 of them")
            }
            return .queues(arns)
        default:
            throw .invalidAttributeValue(
                "RedriveAllowPolicy", text, "redrivePermission is allowAll, denyAll or byQueue")
        }
    }

    /// What was set, as a client reads it.
    package var texts: [String: String] {
        var texts = [
            "VisibilityTimeout": "\(visibilitySeconds)", "DelaySeconds": "\(delaySeconds)",
            "MaximumMessageSize": "\(maximumMessageBytes)", "MessageRetentionPeriod": "\(retentionSeconds)",
            "ReceiveMessageWaitTimeSeconds": "\(waitSeconds)", "SqsManagedSseEnabled": "false",
        ]
        if let redrive {
            texts["RedrivePolicy"] = JSONWriter.text([
                "deadLetterTargetArn": .string(redrive.target),
                "maxReceiveCount": .integer(Int64(redrive.maxReceiveCount)),
            ])
        }
        switch redriveAllowance {
        case .all: break
        case .none: texts["RedriveAllowPolicy"] = #"{"redrivePermission":"denyAll"}"#
        case .queues(let arns):
            texts["RedriveAllowPolicy"] = JSONWriter.text([
                "redrivePermission": "byQueue", "sourceQueueArns": arns.json,
            ])
        }
        if isFIFO {
            texts["FifoQueue"] = "true"
            texts["ContentBasedDeduplication"] = deduplicatesByContent ? "true" : "false"
            texts["DeduplicationScope"] = deduplicatesWithinGroups ? "messageGroup" : "queue"
            texts["FifoThroughputLimit"] = isThroughputPerGroup ? "perMessageGroupId" : "perQueue"
        }
        return texts
    }
}

/// What the service allows.
package enum QueueLimits {
    /// Body and attributes of one message, and of a batch.
    package static let messageBytes = 1 << 20
    package static let batch = 10
    package static let attributes = 10
    package static let deduplicationSeconds = 300
}
