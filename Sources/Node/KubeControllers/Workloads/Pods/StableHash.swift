import JSON
import KubeObjects

/// Hashes of objects (FNV-1a) that are the same in every process.
struct StableHash {
    private var hash = FNV1a()
    var value: UInt64 { hash.value }

    mutating func add(_ bytes: some Sequence<UInt8>) { hash.add(bytes) }

    mutating func add(_ text: String) {
        add(text.utf8)
        add(CollectionOfOne(0xFF))
    }

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }

    /// Equal values give equal hashes, whatever the order of their members and whether nothing is written as null.
    mutating func add(_ json: JSONValue) {
        switch json {
        case .object(let object):
            add("{")
            for member in object.members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                add(member.key)
                add(member.value)
            }
            add("}")
        case .array(let elements):
            add("[")
            for element in elements { add(element) }
            add("]")
        default: add(JSONWriter.text(json))
        }
    }

    private static let letters = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

    /// In the letters of generated names, which spell no words (k8s.io/apimachinery/pkg/util/rand).
    func letters(_ count: Int) -> String {
        // The low bits of FNV are the weak ones.
        var rest = value ^ value >> 32
        rest = rest &* 0x9E37_79B9_7F4A_7C15
        rest ^= rest >> 29
        var text: [UInt8] = []
        for _ in 0..<count {
            text.append(Self.letters[Int(rest % UInt64(Self.letters.count))])
            rest /= UInt64(Self.letters.count)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The hash of a pod template, as labels and names carry it. `collisions` gives another one when a name is taken.
    static func template(_ template: JSONValue?, collisions: Int64) -> String {
        var hash = StableHash()
        hash.add(template?.withoutEmpty ?? [:])
        if collisions > 0 { hash.add(collisions) }
        return hash.letters(10)
    }
}
