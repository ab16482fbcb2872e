/// Where this node's queues are, for the names that clients see.
package struct QueuePlace: Hashable, Sendable {
    package static let account = "000000000000"

    package var region: String

    package init(region: String) { self.region = region }

    /// "arn:aws:sqs:us-east-1:000000000000:NAME"
    package func arn(_ queue: String) -> String { "arn:aws:sqs:\(region):\(Self.account):\(queue)" }

    /// The queue that an ARN names; nil when it is none of this node.
    package func queue(arn: String) -> String? {
        let prefix = self.arn("")
        guard arn.hasPrefix(prefix) else { return nil }
        let name = String(arn.dropFirst(prefix.count))
        return QueueName.isValid(name) ? name : nil
    }

    /// "http://HOST/000000000000/NAME"
    package func url(_ queue: String, host: String) -> String { "http://\(host)/\(Self.account)/\(queue)" }

    /// The queue that a URL names: by its last part, whatever host a client knows this node by.
    package func queue(url: String) -> String? {
        let parts = url.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[parts.count - 2] == Self.account else { return nil }
        let name = String(parts[parts.count - 1])
        return QueueName.isValid(name) ? name : nil
    }
}
