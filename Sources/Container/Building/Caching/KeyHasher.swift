internal import Images
internal import OCI

/// A digest over fields, each with its length in front: no two lists of fields are the same bytes.
///
/// (test: `fields do not run into each other`)
struct KeyHasher {
    private var builder = DigestBuilder()

    init() {}

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ bytes: [UInt8]) {
        add(bytes.count)
        bytes.withUnsafeBytes { builder.update($0) }
    }

    mutating func add(_ number: Int) {
        withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) { builder.update($0) }
    }

    /// A list with its length; nil is not the same as an empty one.
    mutating func add(_ texts: [String]?) {
        add(texts?.count ?? -1)
        for text in texts ?? [] { add(text) }
    }

    mutating func add(_ text: String?) { add(text.map { [$0] }) }

    func finish() -> Digest { builder.finalize() }
}
