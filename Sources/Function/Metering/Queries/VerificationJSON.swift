package import JSON

extension LedgerVerification {
    package var json: JSONValue {
        var object = JSONObject()
        object["good"] = .integer(Int64(good))
        object["head"] = .string("\(head)")
        object["anchors"] = .integer(Int64(anchors))
        if let fault {
            object["fault"] = [
                "kind": .string(fault.kind.rawValue), "record": .integer(Int64(fault.sequence)), "reason": .string(fault.reason),
            ]
        }
        return .object(object)
    }

    /// Reads what `json` writes.
    package init(json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        good = try reader.required("good")
        anchors = try reader.required("anchors")
        let text: String = try reader.required("head")
        guard let anchor = LedgerHeads.Anchor(text) else { throw reader.error("head", "expected SEQUENCE:HASH") }
        head = anchor
        fault = try reader.object("fault") { fault throws(JSONShapeError) in
            let kind: String = try fault.required("kind")
            guard let known = LedgerFault.Kind(rawValue: kind) else { throw fault.error("kind", "\"\(kind)\" is unknown") }
            return LedgerFault(known, try fault.required("record"), try fault.required("reason"))
        }
    }
}
