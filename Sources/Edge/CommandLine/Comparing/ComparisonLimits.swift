import Comparison

/// How much the flags of a comparison may ask for.
enum ComparisonLimits {
    /// Of --timeout, nanoseconds.
    private static let longestTimeout = 24 * 3600 * 1_000_000_000
    /// Of a function, seconds: as the Lambda API has it.
    private static let longestFunction = 900

    /// After how many nanoseconds a call counts as hanging.
    static func timeout(_ text: String) throws(FlagError) -> Int {
        let span = try DurationFlag.parse(text, flag: "--timeout").components
        let nanoseconds = Int(span.seconds) * 1_000_000_000 + Int(span.attoseconds / 1_000_000_000)
        guard nanoseconds <= longestTimeout else {
            throw FlagError("--timeout", text, "a call is not waited for longer than 24h")
        }
        return nanoseconds
    }

    /// The time-out of a function whose calls may take so long. Where that is more than a function may have, the node
    /// ends its calls first.
    static func functionSeconds(timeout nanoseconds: Int) -> Int {
        let seconds = nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)
        return min(longestFunction, max(1, seconds))
    }

    /// How large the calling process is to be. All of it is touched, so more than there is would end the comparison, or
    /// somebody else's program.
    ///
    /// - Parameter available: memory that is free for new programs, bytes.
    static func parentBytes(_ text: String, available: Int) throws(FlagError) -> Int {
        let bytes = try ByteAmount.parse(text, flag: "--parent-memory")
        guard bytes <= available else {
            throw FlagError(
                "--parent-memory", text,
                "\(FloatingText.bytes(bytes)) are more than the \(FloatingText.bytes(available)) of memory that are "
                    + "available on this machine",
                advice: "Write less, or end programs that take memory.")
        }
        return bytes
    }
}
