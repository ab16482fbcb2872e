import JSON

/// Finds members that stand twice in an object of a JSON text. The parser keeps the last one, as RFC 8259 lets it; what
/// strict validation refuses is seen only in the text.
///
/// Invariant: any bytes are taken; of a text that is no JSON the part before the mistake is looked at.
/// (`duplicates are found wherever they stand, in any bytes`)
package struct DuplicateFields {
    /// A list or an object that is open.
    private struct Level {
        var isList: Bool
        var index = 0
        var names: Set<[UInt8]> = []
        /// The member whose value comes next.
        var name = ""
    }

    private let bytes: [UInt8]
    private var at = 0
    private var levels: [Level] = []
    private var found: [String] = []

    /// As many as one answer names.
    private static let limit = 100

    /// The paths, as "spec.containers[0].name", in the order of the text.
    package static func find(in bytes: [UInt8]) -> [String] {
        var search = DuplicateFields(bytes)
        search.run()
        return search.found
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func run() {
        var expectsName = false
        while at < bytes.count, found.count < Self.limit {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // Deeper than what the parser takes nothing has to be found.
                guard levels.count < JSONParser.depthLimit else { return }
                levels.append(Level(isList: byte == UInt8(ascii: "[")))
                expectsName = byte == UInt8(ascii: "{")
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if levels.popLast() == nil { return }
                expectsName = false
            case UInt8(ascii: ","):
                guard !levels.isEmpty else { return }
                levels[levels.count - 1].index += 1
                expectsName = !levels[levels.count - 1].isList
            case UInt8(ascii: "\""):
                guard let text = string() else { return }
                if expectsName { take(text) }
                expectsName = false
            default: break
            }
        }
    }

    /// The content of a string whose opening mark has been passed, escapes read; nil when it does not end.
    private mutating func string() -> [UInt8]? {
        let start = at
        var hasEscapes = false
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\") {
                hasEscapes = true
                at += 1
            }
            at += 1
        }
        guard at < bytes.count else { return nil }
        at += 1
        let content = Array(bytes[start..<(at - 1)])
        guard hasEscapes else { return content }
        let quoted = [UInt8(ascii: "\"")] + content + [UInt8(ascii: "\"")]
        return (try? JSONParser.parse(quoted))?.string.map { Array($0.utf8) }
    }

    private mutating func take(_ name: [UInt8]) {
        guard let last = levels.indices.last else { return }
        levels[last].name = String(decoding: name, as: UTF8.self)
        if !levels[last].names.insert(name).inserted { found.append(path) }
    }

    private var path: String {
        levels.reduce(into: "") { path, level in
            if level.isList {
                path += "[\(level.index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + level.name
            }
        }
    }
}
