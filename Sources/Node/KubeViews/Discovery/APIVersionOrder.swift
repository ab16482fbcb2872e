/// The order of versions by their names: v2 before v1 before v1beta2 before v1alpha1 before all other names
/// (k8s.io/apimachinery/pkg/version).
enum APIVersionOrder {
    static func precedes(_ a: String, _ b: String) -> Bool {
        switch (rank(a), rank(b)) {
        case (let a?, let b?): a.lexicographicallyPrecedes(b, by: >)
        case (_?, nil): true
        case (nil, _?): false
        case (nil, nil): a < b
        }
    }

    /// Maturity, major and minor; nil for a name that is no version.
    private static func rank(_ name: String) -> [Int]? {
        var rest = Array(name.utf8)[...]
        guard rest.popFirst() == UInt8(ascii: "v"), let major = number(&rest) else { return nil }
        if rest.isEmpty { return [3, major, 0] }
        for (word, maturity) in [("beta", 2), ("alpha", 1)] where rest.starts(with: word.utf8) {
            rest = rest.dropFirst(word.utf8.count)
            guard let minor = number(&rest), rest.isEmpty else { return nil }
            return [maturity, major, minor]
        }
        return nil
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard digits.first != 0x30, let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        rest = rest[digits.endIndex...]
        return value
    }
}
