internal import JSON
internal import OCI

// A layer's `done` file: that it is there says that the layer is whole.
extension LayerNote {
    var bytes: [UInt8] {
        JSONWriter.bytes(
            [
                "version": 1, "blob": blob.json, "diff": diff.json, "fileBytes": .integer(Int64(fileBytes)),
                "entries": .integer(Int64(entries)), "devicesLeftOut": .integer(Int64(devicesLeftOut)),
                "hidesLayersBelow": .bool(hidesLayersBelow),
            ], .indented(1))
    }

    /// nil for what this version did not write: the layer is unpacked again.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONParser.parse(bytes), let note = try? LayerNote(json) else { return nil }
        self = note
    }

    private init(_ json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let version: Int = try reader.required("version")
        guard version == 1 else { throw reader.error("version", "this one reads 1") }
        self.init(
            blob: try reader.required("blob"), diff: try reader.required("diff"), fileBytes: try reader.required("fileBytes"),
            entries: try reader.required("entries"), devicesLeftOut: try reader.required("devicesLeftOut"),
            hidesLayersBelow: try reader.required("hidesLayersBelow"))
    }
}
