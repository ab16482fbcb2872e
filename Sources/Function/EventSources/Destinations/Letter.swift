/// A delivery with what is delivered.
package struct Letter: Hashable, Sendable {
    package var delivery: Delivery
    package var payload: [UInt8]
    /// Of a message in a queue.
    package var attributes: [String: MessageAttribute]
    /// `X-Amzn-Trace-Id` of the event that ended: what is delivered goes on in its trace.
    package var trace: String?

    package init(
        _ delivery: Delivery, _ payload: [UInt8], attributes: [String: MessageAttribute] = [:], trace: String? = nil
    ) {
        self.delivery = delivery
        self.payload = payload
        self.attributes = attributes
        self.trace = trace
    }

    /// Letters of one lane are delivered one after the other.
    var lane: String {
        switch delivery {
        case .invoke(let target, _, _): target
        case .send(let queue, _, _): "queue " + queue
        case .write(let directory, _): "directory " + directory
        case .remove(let file), .move(let file, _): "file " + file.path
        }
    }

    /// Delivered by a transaction of the database, not by work on files.
    var isTransactional: Bool {
        switch delivery {
        case .invoke, .send: true
        case .write, .remove, .move: false
        }
    }
}
