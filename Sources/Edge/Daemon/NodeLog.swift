package import Linux

/// What the node has to say while it runs: lines on standard error.
package enum NodeLog {
    /// One line, with the time. A reader that is gone or slow must not stop the node, so an error is dropped here:
    /// there is no other place to tell it.
    package static func write(_ sentence: String, at time: Timestamp = Clock.now()) {
        let line = sentence.split(separator: "\n").joined(separator: "; ")
        try? Files.writeAll(Array("\(time) \(line)\n".utf8), to: 2)
    }
}
