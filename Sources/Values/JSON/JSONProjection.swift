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
    /// What is wanted of a value, while paths are put together.
    private struct Node {
        var members: [(name: String, node: Node)] = []
        var isWhole = false

        mutating func insert(_ path: ArraySlice<Substring>) {
            guard let first = path.first else {
                isWhole = true
                return
            }
            let at = members.firstIndex { haveSameBytes($0.name, String(first)) } ?? members.count
            if at == members.count { members.append((String(first), Node())) }
            members[at].node.insert(path.dropFirst())
        }
    }

    /// The same in one piece: readers walk it without counting references.
    private struct Place: Sendable {
        var members: Range<Int>
        var isWhole: Bool
    }

    private struct Member: Sendable {
        var name: String
        /// Of its bytes in `names`.
        var range: Range<Int>
        var mark: UInt32
        var place: Int
    }

    private var places: [Place] = []
    private var members: [Member] = []
    private var names: [UInt8] = []

    package init(_ paths: [String]) {
        var root = Node()
        for path in paths { root.insert(path.split(separator: ".")[...]) }
        add(root)
    }

    private mutating func add(_ node: Node) {
        let place = places.count
        let start = members.count
        places.append(Place(members: start..<start + node.members.count, isWhole: node.isWhole))
        for member in node.members {
            let bytes = Array(member.name.utf8)
            let mark = bytes.withUnsafeBufferPointer { JSONObject.mark($0) }
            let range = names.count..<names.count + bytes.count
            names += bytes
            members.append(Member(name: member.name, range: range, mark: mark, place: -1))
        }
        for (index, member) in node.members.enumerated() {
            members[places[place].members.lowerBound + index].place = places.count
            add(member.node)
        }
    }

    /// - Parameter spanned: A member of the outermost object whose place in the bytes is wanted too.
    /// - Returns: the value, and where that member's own value is: nil when there is no such member.
    package func value(
        in bytes: [UInt8], spanOf spanned: String = ""
    ) throws(JSONError) -> (value: JSONValue, span: Range<Int>?) {
        let name = Array(spanned.utf8)
        return try bytes.withUnsafeBufferPointer { bytes throws(JSONError) in
            try places.withUnsafeBufferPointer { places throws(JSONError) in
                try members.withUnsafeBufferPointer { members throws(JSONError) in
                    try names.withUnsafeBufferPointer { names throws(JSONError) in
                        var reader = Reader(
                            scanner: JSONScanner(bytes), places: places, members: members, names: names, spanned: name)
                        return try reader.whole()
                    }
                }
            }
        }
    }

    private struct Reader {
        var scanner: JSONScanner
        let places: UnsafeBufferPointer<Place>
        let members: UnsafeBufferPointer<Member>
        let names: UnsafeBufferPointer<UInt8>
        let spanned: [UInt8]
        var span: Range<Int>?

        mutating func whole() throws(JSONError) -> (value: JSONValue, span: Range<Int>?) {
            let value = try value(0, depth: 0)
            scanner.skipSpace()
            guard scanner.isAtEnd else { throw scanner.error(expected: "the end of the text") }
            return (value, span)
        }

        mutating func value(_ place: Int, depth: Int) throws(JSONError) -> JSONValue {
            scanner.skipSpace()
            switch scanner.peek {
            case UInt8(ascii: "{") where !places[place].isWhole: return try object(place, depth: depth + 1)
            case UInt8(ascii: "[") where !places[place].isWhole: return try array(place, depth: depth + 1)
            default: return try JSONParser.value(&scanner, depth: depth)
            }
        }

        private mutating func array(_ place: Int, depth: Int) throws(JSONError) -> JSONValue {
            try open(depth)
            var elements: [JSONValue] = []
            if scanner.take(UInt8(ascii: "]")) { return .array(elements) }
            while true {
                elements.append(try value(place, depth: depth))
                scanner.skipSpace()
                if scanner.take(UInt8(ascii: ",")) { continue }
                if scanner.take(UInt8(ascii: "]")) { return .array(elements) }
                throw scanner.error(expected: "\",\" or \"]\"")
            }
        }

        private mutating func object(_ place: Int, depth: Int) throws(JSONError) -> JSONValue {
            try open(depth)
            var object = JSONObject()
            if scanner.take(UInt8(ascii: "}")) { return .object(object) }
            while true {
                scanner.skipSpace()
                try member(of: place, depth, &object)
                scanner.skipSpace()
                if scanner.take(UInt8(ascii: ",")) { continue }
                if scanner.take(UInt8(ascii: "}")) { return .object(object) }
                throw scanner.error(expected: "\",\" or \"}\"")
            }
        }

        /// The member of that name that is wanted. The mark and the length tell most others apart.
        private func wanted(_ name: UnsafeBufferPointer<UInt8>, _ mark: UInt32, in place: Int) -> Int? {
            for index in places[place].members where members[index].mark == mark {
                let range = members[index].range
                if range.count == name.count, UnsafeBufferPointer(rebasing: names[range]).elementsEqual(name) {
                    return index
                }
            }
            return nil
        }

        private mutating func member(of place: Int, _ depth: Int, _ object: inout JSONObject) throws(JSONError) {
            guard scanner.peek == UInt8(ascii: "\"") else { throw scanner.error(expected: "a member's name") }
            guard let run = scanner.plainName() else {
                // A name with escapes: rare enough to be read like any other.
                let (text, mark) = try scanner.name()
                try colon()
                let index = Array(text.utf8).withUnsafeBufferPointer { wanted($0, mark, in: place) }
                try take(index, mark, depth, &object)
                return
            }
            try colon()
            let isSpanned = depth == 1 && run.count == spanned.count && run.elementsEqual(spanned)
            if isSpanned { scanner.skipSpace() }
            let start = scanner.offset
            let mark = JSONObject.mark(run)
            try take(wanted(run, mark, in: place), mark, depth, &object)
            if isSpanned { span = start..<scanner.offset }
        }

        private mutating func take(
            _ index: Int?, _ mark: UInt32, _ depth: Int, _ object: inout JSONObject
        ) throws(JSONError) {
            guard let index else {
                scanner.skipSpace()
                return try scanner.skipValue()
            }
            object.set(members[index].name, mark: mark, to: try value(members[index].place, depth: depth))
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
    }
}
