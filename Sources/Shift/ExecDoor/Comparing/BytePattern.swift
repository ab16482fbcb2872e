internal import Glibc

/// A POSIX extended regular expression (regex(7), with the GNU C library's \b, \< and \>) over the bytes of a line.
///
/// The library's matcher takes time in proportion to the text unless the pattern has back references, so that a pattern
/// cannot hold up the node as one of a backtracking engine could.
final class BytePattern: Sendable {
    let text: String
    // regexec(3) is safe on several threads: the library locks what it changes.
    nonisolated(unsafe) private let compiled: UnsafeMutablePointer<regex_t>

    init(_ text: String) throws(RuleProblem) {
        self.text = text
        guard !text.utf8.contains(0) else { throw RuleProblem("regex=\(text)", "a pattern holds no NUL") }
        let place = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        place.initialize(to: regex_t())
        let code = regcomp(place, text, REG_EXTENDED)
        guard code == 0 else {
            var words = [CChar](repeating: 0, count: 256)
            let count = regerror(code, place, &words, words.count)
            place.deallocate()
            let said = words.prefix(max(0, count - 1)).map { UInt8(bitPattern: $0) }
            throw RuleProblem("regex=\(text)", String(decoding: said, as: UTF8.self))
        }
        compiled = place
    }

    deinit {
        regfree(compiled)
        compiled.deallocate()
    }

    /// The matches in `line`, one after the other, without empty ones.
    func matches(in line: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        line.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            var at = 0
            while at < bytes.count {
                var match = regmatch_t(rm_so: regoff_t(at), rm_eo: regoff_t(bytes.count))
                let flags = REG_STARTEND | (at > 0 ? REG_NOTBOL : 0)
                guard regexec(compiled, start, 1, &match, flags) == 0 else { return }
                let range = Int(match.rm_so)..<Int(match.rm_eo)
                if !range.isEmpty { found.append(range) }
                at = max(range.upperBound, range.lowerBound + 1, at + (range.isEmpty ? 1 : 0))
            }
        }
        return found
    }
}
