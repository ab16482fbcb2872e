/// Names that Kubernetes takes, made of names that it might not.
///
/// Invariant: what comes out is an RFC 1123 label, and two different names of one export stay different.
/// (test: `names become labels, and stay apart`)
struct ManifestNames {
    private var taken: Set<String> = []

    /// A label of at most 52 characters, so that a Deployment's pods and a CronJob's jobs have room behind it.
    static func label(_ name: String) -> String {
        let small = name.lowercased().utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "-")
            }
        }
        let parts = String(decoding: small, as: UTF8.self).split(separator: "-").joined(separator: "-")
        let cut = String(parts.prefix(52))
        let trimmed = cut.hasSuffix("-") ? String(cut.dropLast()) : cut
        return trimmed.isEmpty ? "program" : trimmed
    }

    /// Takes a name as it is, unless somebody has it.
    mutating func take(_ name: String) -> Bool { taken.insert(name).inserted }

    mutating func name(for name: String) -> String {
        let label = Self.label(name)
        var candidate = label
        var number = 2
        while !taken.insert(candidate).inserted {
            candidate = "\(label)-\(number)"
            number += 1
        }
        return candidate
    }
}
