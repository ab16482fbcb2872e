/// Events that wait to be sent to one subscriber: when to send them, and which are dropped when it does not keep up. Pure.
///
/// Invariants (with their tests in TelemetryBufferTests)
/// 1. A batch has at most `maxItems` events and, unless a single one is longer, `maxBytes`. (`batches keep to their bounds`)
/// 2. Memory is bounded: beyond `batchesKept` batches events are dropped and counted, and the count is told once.
///    (`what a slow subscriber misses is counted`)
package struct TelemetryBuffer: Sendable {
    private let maxItems: Int
    private let maxBytes: Int
    /// The batch being sent is not counted.
    static let batchesKept = 2

    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private(set) var dropped = (records: 0, bytes: 0)

    package init(maxItems: Int, maxBytes: Int) {
        self.maxItems = maxItems
        self.maxBytes = maxBytes
    }

    package var isEmpty: Bool { waiting.isEmpty }
    /// Whether a batch is full and need not wait for its time.
    package var isFull: Bool { waiting.count >= maxItems || waitingBytes >= maxBytes }

    /// Takes one event as JSON.
    package mutating func add(_ event: [UInt8]) {
        guard waiting.count < maxItems * Self.batchesKept, waitingBytes + event.count <= maxBytes * Self.batchesKept else {
            dropped.records += 1
            dropped.bytes += event.count
            return
        }
        waiting.append(event)
        waitingBytes += event.count
    }

    /// The next batch; empty when nothing waits.
    package mutating func takeBatch() -> [[UInt8]] {
        var count = 0
        var bytes = 0
        while count < min(waiting.count, maxItems), count == 0 || bytes + waiting[count].count <= maxBytes {
            bytes += waiting[count].count
            count += 1
        }
        let batch = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        waitingBytes -= bytes
        return batch
    }

    /// What was dropped since it was asked for last.
    package mutating func takeDropped() -> (records: Int, bytes: Int)? {
        guard dropped.records > 0 else { return nil }
        defer { dropped = (0, 0) }
        return dropped
    }
}
