import Linux

/// A question before something that cannot be taken back.
enum Confirmation {
    /// Asks on stderr and reads the answer; no answer is a no.
    static func isGiven(to warning: String) throws(SystemError) -> Bool {
        StandardStreams.writeError("\(warning)\nAre you sure you want to continue? [y/N] ")
        var answer = ""
        while let byte = try Files.readSome(StandardStreams.input, count: 1, name: "standard input").first, byte != 10 {
            answer.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return ["y", "yes"].contains(answer.lowercased())
    }
}
