package import JSON
import Linux

extension LogLine {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let content: [UInt8]
        if let encoded: String = try reader.optional("base64") {
            guard let bytes = Base64.bytes(exactly: encoded) else { throw reader.error("base64", "not base64") }
            content = bytes
        } else {
            let text: String = try reader.required("text")
            content = Array(text.utf8)
        }
        self.init(
            time: try reader.required("time"), stream: try reader.word("stream"), content: content,
            isComplete: try reader.flag("complete"))
    }

    package var json: JSONValue {
        let text = String(validating: content, as: UTF8.self)
        return .members(
            ("time", time.json), ("stream", .string(stream.rawValue)), ("text", text?.json),
            ("base64", text == nil ? .string(Base64.text(content)) : nil), ("complete", isComplete.json))
    }
}
