package import JSON

/// Calls of a rung that gave another result than the first call that had the same input on that rung.
package struct ResultInconsistency: ReportObject {
    /// How many calls did, of any repetition and under load.
    package var calls: Int
    /// Whether the first of them came under load.
    package var isUnderLoad: Bool
    /// How the first of them differs.
    package var difference: ResultDifference

    package init(calls: Int, isUnderLoad: Bool, difference: ResultDifference) {
        self.calls = calls
        self.isUnderLoad = isUnderLoad
        self.difference = difference
    }

    /// "3 vary", as it stands in a table.
    package var text: String { calls == 1 ? "1 varies" : "\(FloatingText.grouped(calls)) vary" }

    package var json: JSONValue {
        ["calls": calls.json, "underLoad": isUnderLoad.json, "difference": difference.json]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        calls = try reader.required("calls")
        isUnderLoad = try reader.required("underLoad")
        difference = try reader.value("difference")
    }
}
