/// Reads a few members out of JSON and passes over the rest without making values of it: for tables of thousands of
/// objects, of each of which a screen line is shown.
///
///     JSONProjection(["metadata.name", "spec.containers.name"]).value(in: bytes)
///
/// Paths are names with dots between them. They lead through arrays: of every element the same members are read. Where
/// a path ends the whole value is read.
///
/// Invariants (each with a test in JSONProjectionTests):
/// 1. Of what `JSONParser` takes the same is read, less the members that no path names. What is passed over is not
///    checked.
///    (`a projection is the parsed value without the rest`)
/// 2. Any bytes give a value or a `JSONError`; none trap. (`no bytes trap a projection`)
package struct JSONProjection: Sendable {
    /// What is wanted of a value.
    private struct Node: Sendable {
        var members: [(name: [UInt8], node: Node)] = []
        var isWhole = false

        mutating func insert(_ path: ArraySlice<Substring>) {
            guard let first = path.first else {
                isWhole = true
                return
            }
            let name = Array(first.utf8)
            let at = members.firstIndex { $0.name == name } ?? members.count
            if at == members.count { members.append((name, Node())) }
            members[at].node.insert(path.dropFirst())
        }

        func child(_ name: UnsafeBufferPointer<UInt8>) -> Node? {
            for member in members where member.name.count == name.count && member.name.elementsEqual(name) {
                return member.node
            }
            return nil
        }
    }

    private let root: Node

    package init(_ paths: [String]) {
        var root = Node()
        for path in paths { root.insert(path.split(separator: ".")[...]) }
        self.root = root
    }

    /// - Parameter spanned: A member of the outermost object whose place in the bytes is wanted too.
    /// - Returns: the value, and where that member's own value is: nil when there is no such member.
    package func value(
        in bytes: [UInt8], spanOf spanned: String = ""
    ) throws(JSONError) -> (value: JSONValue, span: Range<Int>?) {
        let name = Array(spanned.utf8)
        return try bytes.withUnsafeBufferPointer { bytes throws(JSONError) in
            var reader = Reader(scanner: JSONScanner(bytes), spanned: name)
            let value = try reader.value(root, depth: 0)
            reader.scanner.skipSpace()
            guard reader.scanner.isAtEnd else { throw reader.scanner.error(expected: "the end of the text") }
            return (value, reader.span)
        }
    }

    private struct Reader {
        var scanner: JSONScanner
        let spanned: [UInt8]
        var span: Range<Int>?

        mutating func value(_ node: Node, depth: Int) throws(JSONError) -> JSONValue {
            scanner.skipSpace()
            switch scanner.peek {
            case UInt8(ascii: "{") where !node.isWhole: return try object(node, depth: depth + 1)
            case UInt8(ascii: "[") where !node.isWhole: return try array(node, depth: depth + 1)
            default: return try JSONParser.value(&scanner, depth: depth)
            }
        }

        private mutating func array(_ node: Node, depth: Int) throws(JSONError) -> JSONValue {
            try open(depth)
            var elements: [JSONValue] = []
            if scanner.take(UInt8(ascii: "]")) { return .array(elements) }
            while true {
                elements.append(try value(node, depth: depth))
                scanner.skipSpace()
                if scanner.take(UInt8(ascii: ",")) { continue }
                if scanner.take(UInt8(ascii: "]")) { return .array(elements) }
                throw scanner.error(expected: "\",\" or \"]\"")
            }
        }

        private mutating func object(_ node: Node, depth: Int) throws(JSONError) -> JSONValue {
            try open(depth)
            var object = JSONObject()
            if scanner.take(UInt8(ascii: "}")) { return .object(object) }
            while true {
                scanner.skipSpace()
                try member(of: node, depth, &object)
                scanner.skipSpace()
                if scanner.take(UInt8(ascii: ",")) { continue }
                if scanner.take(UInt8(ascii: "}")) { return .object(object) }
                throw scanner.error(expected: "\",\" or \"}\"")
            }
        }

        private mutating func member(of node: Node, _ depth: Int, _ object: inout JSONObject) throws(JSONError) {
            guard scanner.peek == UInt8(ascii: "\"") else { throw scanner.error(expected: "a member's name") }
            guard let run = scanner.plainName() else {
                // A name with escapes: rare enough to be read like any other.
                let (text, mark) = try scanner.name()
                try colon()
                let child = Array(text.utf8).withUnsafeBufferPointer { node.child($0) }
                if let child { object.set(text, mark: mark, to: try value(child, depth: depth)) } else { try skip() }
                return
            }
            try colon()
            let isSpanned = depth == 1 && run.elementsEqual(spanned)
            if isSpanned { scanner.skipSpace() }
            let start = scanner.offset
            if let child = node.child(run) {
                let mark = JSONObject.mark(run)
                object.set(String(decoding: run, as: UTF8.self), mark: mark, to: try value(child, depth: depth))
            } else {
                try skip()
            }
            if isSpanned { span = start..<scanner.offset }
        }

        private mutating func open(_ depth: Int) throws(JSONError) {
            guard depth <= JSONParser.depthLimit else {
                throw scanner.error(
                    expected: "at most \(JSONParser.depthLimit) levels of arrays and objects", found: "one more")
            }
            scanner.skip(1)
            scanner.skipSpace()
        }

        private mutating func colon() throws(JSONError) {
            scanner.skipSpace()
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error(expected: "\":\"") }
        }

        private mutating func skip() throws(JSONError) {
            scanner.skipSpace()
            try scanner.skipValue()
        }
    }
}
