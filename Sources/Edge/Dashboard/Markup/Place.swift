/// A page of the dashboard: what a link may lead to.
package struct Place: Hashable, Sendable {
    /// Where the dashboard begins.
    package static let root = "/dashboard"

    /// The path with its query, percent-encoded.
    package private(set) var text: String

    /// - Parameters:
    ///   - segments: of the path below the root; each is encoded as a whole.
    ///   - query: pairs whose value is nil or empty are left out.
    package init(_ segments: [String] = [], query: [(String, String?)] = []) {
        text = Self.root + segments.map { "/" + Self.encoded($0) }.joined()
        let pairs = query.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : "\(Self.encoded(name))=\(Self.encoded($0))" }
        }
        if !pairs.isEmpty { text += "?" + pairs.joined(separator: "&") }
    }

    /// A text that is one already.
    init(text: String) { self.text = text }

    /// RFC 3986's unreserved characters stay. A segment of dots alone would be taken for a way up, encoded or not, so that its
    /// dots are doubled into something that no name of ours is.
    static func encoded(_ text: String) -> String {
        if text == "." || text == ".." { return "_" + text + "_" }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexadecimal[Int(byte >> 4)])
                bytes.append(hexadecimal[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    /// The bytes behind %XX, and where `isForm` spaces behind +; nil when it is broken or no UTF-8.
    package static func decoded(_ text: Substring, isForm: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if isForm, byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The pairs of a query or of a form's body (application/x-www-form-urlencoded), at most `limit` of them; nil when it is
    /// broken. Of a name that comes twice the first one counts.
    package static func pairs(_ text: Substring, limit: Int = 64) -> [String: String]? {
        var pairs: [String: String] = [:]
        for (number, part) in text.split(separator: "&").enumerated() {
            guard number < limit else { return nil }
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(sides[0], isForm: true), let value = decoded(sides.count > 1 ? sides[1] : "", isForm: true)
            else { return nil }
            if pairs[name] == nil { pairs[name] = value }
        }
        return pairs
    }
}
