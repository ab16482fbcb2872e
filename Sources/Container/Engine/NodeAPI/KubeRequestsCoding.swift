package import JSON

extension MakeKubeconfig {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            user: try reader.required("user"), groups: try reader.list("groups"), seconds: try reader.required("seconds"),
            server: try reader.optional("server"))
    }

    package var json: JSONValue {
        .members(("user", user.json), ("groups", groups.json), ("seconds", seconds.json), ("server", server?.json))
    }
}

extension KubeconfigText {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(text: try reader.required("text"))
    }

    package var json: JSONValue { .members(("text", text.json)) }
}
