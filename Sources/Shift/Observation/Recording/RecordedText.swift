/// Bytes that are text most of the time (paths, arguments, names), as text that loses nothing.
///
/// Valid UTF-8 stands as it is. A byte that belongs to no valid sequence becomes the character U+10F700 plus the byte
/// (of a private plane that nobody uses), and a character of that range which really was there is taken for bytes.
///
/// Invariant: `bytes(text(x)) == x` for all x. (test: `any bytes come back from a recording as they were`)
package enum RecordedText {
    private static let base: UInt32 = 0x10F700

    /// The text for bytes.
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        let plain = String(decoding: bytes, as: UTF8.self)
        // Repairing changes the bytes; most texts need none and hold none of our range.
        if plain.utf8.elementsEqual(bytes), !plain.unicodeScalars.contains(where: { isOurs($0) }) { return plain }
        var result = String.UnicodeScalarView()
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            var parser = Unicode.UTF8.ForwardParser()
            var iterator = rest.makeIterator()
            if case .valid(let sequence) = parser.parseScalar(from: &iterator) {
                let scalar = Unicode.UTF8.decode(sequence)
                if !isOurs(scalar) {
                    result.append(scalar)
                    rest = rest.dropFirst(sequence.count)
                    continue
                }
            }
            result.append(Unicode.Scalar(base + UInt32(rest.removeFirst()))!)
        }
        return String(result)
    }

    /// The bytes that a text stands for.
    package static func bytes(_ text: String) -> [UInt8] {
        guard text.unicodeScalars.contains(where: { isOurs($0) }) else { return Array(text.utf8) }
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            if isOurs(scalar) {
                result.append(UInt8(scalar.value - base))
            } else {
                result += Unicode.UTF8.encode(scalar)!
            }
        }
        return result
    }

    private static func isOurs(_ scalar: Unicode.Scalar) -> Bool { scalar.value & 0xFFFF00 == base }
}
