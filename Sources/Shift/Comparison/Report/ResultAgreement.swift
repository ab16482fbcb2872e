package import JSON

/// Whether a rung gave the results that the first one gave, byte for byte.
package enum ResultAgreement: Hashable, Sendable {
    /// These are the results that the others are compared with.
    case reference
    case identical
    /// How many calls gave something else, the first of them, from 1, and where it differs.
    case different(calls: Int, first: Int, difference: ResultDifference)
    case unavailable(String)

    /// Compares what each call wrote with what it wrote on the first rung.
    ///
    /// A call that is missing on either side differs.
    package init(outputs: [[UInt8]], reference: [[UInt8]]) {
        var differing = 0
        var first: (call: Int, difference: ResultDifference)?
        for index in 0..<max(outputs.count, reference.count) {
            let output = index < outputs.count ? outputs[index] : nil
            let expected = index < reference.count ? reference[index] : nil
            if output == expected { continue }
            if first == nil { first = (index + 1, ResultDifference(output ?? [], expected: expected ?? [])) }
            differing += 1
        }
        self = first.map { .different(calls: differing, first: $0.call, difference: $0.difference) } ?? .identical
    }

    package var isIdentical: Bool { self == .reference || self == .identical }
    package var isDifferent: Bool {
        if case .different = self { return true }
        return false
    }

    package var text: String {
        switch self {
        case .reference: "reference"
        case .identical: "identical"
        case .different(let calls, _, _): "\(FloatingText.grouped(calls)) differ"
        case .unavailable: "–"
        }
    }
}

/// The first byte in which a result is not the expected one, with what stands around it.
package struct ResultDifference: ReportObject {
    /// From 0. Where one result is the beginning of the other it is the end of the shorter one.
    package var offset: Int
    /// Line and column of the offset, from 1; lines end with a line feed.
    package var line: Int
    package var column: Int
    /// What stands around it on either side, at most 48 bytes, as text that is safe to show: what is no printable ASCII is
    /// `\xHH`, `\n`, `\t`, `\r` or `\\`.
    package var expected: String
    package var found: String
    /// How many bytes the two results have.
    package var expectedBytes: Int
    package var foundBytes: Int

    /// - Precondition: the two differ.
    package init(_ found: [UInt8], expected: [UInt8]) {
        var offset = 0
        while offset < found.count, offset < expected.count, found[offset] == expected[offset] { offset += 1 }
        precondition(offset < found.count || offset < expected.count, "two results that are equal have no difference")
        self.offset = offset
        line = found[..<offset].count { $0 == 0x0A } + 1
        column = offset - (found[..<offset].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
        self.expected = Self.excerpt(expected, at: offset)
        self.found = Self.excerpt(found, at: offset)
        expectedBytes = expected.count
        foundBytes = found.count
    }

    private static func excerpt(_ bytes: [UInt8], at offset: Int) -> String {
        let (begin, end) = (min(max(0, offset - 16), bytes.count), min(bytes.count, offset + 32))
        var text = begin > 0 ? "…" : ""
        for byte in bytes[begin..<end] {
            switch byte {
            case 0x0A: text += "\\n"
            case 0x0D: text += "\\r"
            case 0x09: text += "\\t"
            case 0x5C: text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + (end < bytes.count ? "…" : "")
    }

    package var json: JSONValue {
        [
            "offset": offset.json, "line": line.json, "column": column.json, "expected": expected.json,
            "found": found.json,
            "expectedBytes": expectedBytes.json, "foundBytes": foundBytes.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        offset = try reader.required("offset")
        line = try reader.required("line")
        column = try reader.required("column")
        expected = try reader.required("expected")
        found = try reader.required("found")
        expectedBytes = try reader.required("expectedBytes")
        foundBytes = try reader.required("foundBytes")
    }
}

extension ResultAgreement: ReportValue {
    package var json: JSONValue {
        switch self {
        case .reference: ["agreement": "reference"]
        case .identical: ["agreement": "identical"]
        case .different(let calls, let first, let difference):
            ["agreement": "different", "calls": calls.json, "firstCall": first.json, "difference": difference.json]
        case .unavailable(let reason): ["unavailable": .string(reason)]
        }
    }

    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json, path: path)
        guard let agreement: String = try reader.optional("agreement") else {
            self = .unavailable(try reader.required("unavailable"))
            return
        }
        switch agreement {
        case "reference": self = .reference
        case "identical": self = .identical
        case "different":
            self = .different(
                calls: try reader.required("calls"), first: try reader.required("firstCall"),
                difference: try reader.value("difference"))
        default:
            throw reader.error(
                "agreement", "expected \"reference\", \"identical\" or \"different\", found \"\(agreement)\"")
        }
    }
}
