/// Names of queues: 1 to 80 letters, digits, hyphens and underscores; of a FIFO queue with ".fifo" at the end, which counts.
package enum QueueName {
    package static func isValid(_ name: String) -> Bool {
        let stem = isFIFO(name) ? String(name.dropLast(5)) : name
        return !stem.isEmpty && name.utf8.count <= 80
            && stem.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    package static func isFIFO(_ name: String) -> Bool { name.hasSuffix(".fifo") }
}
