/// Writes JSON: members in their order, numbers as they were read, the same bytes for the same value every time.
package struct JSONWriter {
    /// How the text is laid out.
    package enum Layout: Hashable, Sendable {
        /// No white space at all.
        case compact
        /// A line per element and member, indented by this many spaces a level.
        case indented(Int)
    }

    private let layout: Layout
    private var bytes: [UInt8] = []
    private var level = 0

    /// The UTF-8 text of a value.
    package static func bytes(_ value: JSONValue, _ layout: Layout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout: layout)
        writer.write(value)
        return writer.bytes
    }

    /// The text of a value.
    package static func text(_ value: JSONValue, _ layout: Layout = .compact) -> String {
        String(decoding: bytes(value, layout), as: UTF8.self)
    }

    private init(layout: Layout) { self.layout = layout }

    private mutating func write(_ value: JSONValue) {
        switch value {
        case .null: put("null")
        case .bool(let value): put(value ? "true" : "false")
        case .integer(let value): bytes += String(value).utf8
        case .number(let number): bytes += number.text.utf8
        case .string(let text): write(string: text)
        case .array(let elements):
            write(list: elements, "[", "]") { writer, element in writer.write(element) }
        case .object(let object):
            write(list: object.members, "{", "}") { writer, member in
                writer.write(string: member.key)
                writer.put(writer.layout == .compact ? ":" : ": ")
                writer.write(member.value)
            }
        }
    }

    private mutating func write<Element>(
        list: [Element], _ opening: StaticString, _ closing: StaticString,
        _ each: (inout JSONWriter, Element) -> Void
    ) {
        put(opening)
        if !list.isEmpty {
            level += 1
            for index in list.indices {
                if index > 0 { put(",") }
                newLine()
                each(&self, list[index])
            }
            level -= 1
            newLine()
        }
        put(closing)
    }

    private mutating func newLine() {
        guard case .indented(let width) = layout else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * width))
    }

    private mutating func put(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func write(string: String) {
        bytes.append(UInt8(ascii: "\""))
        let isDone: Void? = string.utf8.withContiguousStorageIfAvailable { write(escaping: $0) }
        if isDone == nil { Array(string.utf8).withUnsafeBufferPointer { write(escaping: $0) } }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Escapes what RFC 8259 section 7 demands and nothing else, and copies the runs between as they are.
    private mutating func write(escaping text: UnsafeBufferPointer<UInt8>) {
        var runStart = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart..<index]))
            runStart = index + 1
            switch byte {
            case 0x22: put("\\\"")
            case 0x5C: put("\\\\")
            case 0x08: put("\\b")
            case 0x09: put("\\t")
            case 0x0A: put("\\n")
            case 0x0C: put("\\f")
            case 0x0D: put("\\r")
            default:
                let digits = Array("0123456789abcdef".utf8)
                put("\\u00")
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart...]))
    }
}

extension JSONValue: CustomStringConvertible {
    /// The compact text.
    package var description: String { JSONWriter.text(self) }
}
