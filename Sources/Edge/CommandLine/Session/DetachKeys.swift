/// The keys that leave a program to itself: Docker's `--detach-keys`, "ctrl-p,ctrl-q" by default.
///
/// Invariant: without the whole sequence every key gets through, in order; one that may begin it waits for the next.
/// (test: `keys that are not the sequence all get through`)
struct DetachKeys: Hashable {
    private let sequence: [UInt8]
    private var matched = 0

    /// Ctrl-P, Ctrl-Q.
    static let standard = DetachKeys(sequence: [16, 17])

    private init(sequence: [UInt8]) { self.sequence = sequence }

    /// Reads keys between commas: a character, or "ctrl-" and a letter or one of @ [ \ ] ^ _.
    static func parse(_ text: String?) throws(FlagError) -> DetachKeys {
        guard let text else { return .standard }
        var sequence: [UInt8] = []
        for key in text.split(separator: ",", omittingEmptySubsequences: false) {
            if key.utf8.count == 1, let byte = key.utf8.first {
                sequence.append(byte)
            } else if key.hasPrefix("ctrl-"), key.utf8.count == 6, let byte = key.utf8.last, let code = control(byte) {
                sequence.append(code)
            } else {
                throw FlagError(
                    "--detach-keys", text, "\"\(key)\" is no key",
                    advice: "Write characters and ctrl-LETTER between commas: ctrl-p,ctrl-q.")
            }
        }
        return DetachKeys(sequence: sequence)
    }

    /// What a terminal sends for Ctrl and this key.
    private static func control(_ key: UInt8) -> UInt8? {
        switch key {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): key - UInt8(ascii: "a") + 1
        case UInt8(ascii: "@"): 0
        case UInt8(ascii: "[")...UInt8(ascii: "_"): key - 64
        default: nil
        }
    }

    /// Takes what was typed: what of it is for the program, and whether the sequence is complete.
    mutating func take(_ bytes: [UInt8]) -> (passed: [UInt8], isDetached: Bool) {
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == sequence[matched] {
                matched += 1
                if matched == sequence.count { return (passed, true) }
                continue
            }
            // What looked like the sequence was not.
            passed += sequence[..<matched]
            matched = byte == sequence[0] ? 1 : 0
            if matched == 0 { passed.append(byte) }
        }
        return (passed, false)
    }
}
