internal import Lambda
internal import Linux

/// The deadline that a caller sends along: milliseconds since 1970, in a header that the function's settings name.
enum CallerDeadline {
    /// - Parameters:
    ///   - now: two readings of the same moment, by which the caller's time of day becomes the node's.
    /// - Returns: nil when the call has none.
    /// - Throws: InvalidParameterValueException for what is no such number.
    static func find(
        in call: FunctionCall, now: Instant, _ time: Timestamp
    ) throws(LambdaFailure) -> Instant? {
        guard let header = call.function.settings.deadlineHeader, let text = call.headers[header.lowercased()] else {
            return nil
        }
        let digits = text.utf8
        // 15 digits are 30,000 years, and as nanoseconds more than an Int holds from 9223372036855 on.
        guard !digits.isEmpty, digits.count <= 15, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let milliseconds = Int(text)
        else {
            throw .invalidParameter(
                "run \(call.function.name): its deadline in the header \(header) is \"\(text.prefix(40))\"; "
                    + "milliseconds since 1970 are needed.")
        }
        let nanoseconds = min(milliseconds, Int.max / 4 / 1_000_000) * 1_000_000
        return Instant(nanoseconds: now.nanoseconds + (nanoseconds - time.nanoseconds))
    }
}
