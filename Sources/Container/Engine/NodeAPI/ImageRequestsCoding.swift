package import JSON
import OCI

extension ListImages {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(name: try reader.optional("name"), filters: try reader.list("filters"))
    }

    package var json: JSONValue { .members(("name", name?.json), ("filters", filters.isEmpty ? nil : filters.json)) }
}

extension ImageList {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(images: try reader.nestedList("images"))
    }

    package var json: JSONValue { ["images": .array(images.map(\.json))] }
}

extension ImageSummary {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            id: try reader.required("id"), names: try reader.list("names"), digest: try reader.required("digest"),
            created: try reader.optional("created"), size: try reader.required("size"),
            labels: try reader.dictionary("labels"))
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("names", names.json), ("digest", digest.json), ("created", created?.json),
            ("size", size.json), ("labels", labels.json))
    }
}

extension InspectImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(image: try reader.required("image"))
    }

    package var json: JSONValue { ["image": image.json] }
}

extension ImageDetails {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        guard let platform = try reader.platform() else {
            throw reader.error("platform", "expected a platform, found nothing")
        }
        self.init(
            summary: try reader.nested("summary"), author: try reader.optional("author"), platform: platform,
            config: try reader.required("config"), layers: try reader.nestedList("layers"),
            storedBytes: try reader.required("storedBytes"), holders: try reader.list("holders"))
    }

    package var json: JSONValue {
        .members(
            ("summary", summary.json), ("author", author?.json), ("platform", platform.description.json),
            ("config", config), ("layers", .array(layers.map(\.json))), ("storedBytes", storedBytes.json),
            ("holders", holders.json))
    }
}

extension ImageLayer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            digest: try reader.required("digest"), diff: try reader.required("diff"),
            storedBytes: try reader.required("storedBytes"), fileBytes: try reader.optional("fileBytes"))
    }

    package var json: JSONValue {
        .members(
            ("digest", digest.json), ("diff", diff.json), ("storedBytes", storedBytes.json),
            ("fileBytes", fileBytes?.json))
    }
}

extension ImageHistory {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(image: try reader.required("image"))
    }

    package var json: JSONValue { ["image": image.json] }
}

extension ImageSteps {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(id: try reader.required("id"), steps: try reader.nestedList("steps"))
    }

    package var json: JSONValue { ["id": id.json, "steps": .array(steps.map(\.json))] }
}

extension ImageStep {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            created: try reader.optional("created"), createdBy: try reader.optional("createdBy"),
            comment: try reader.optional("comment"), size: try reader.required("size"))
    }

    package var json: JSONValue {
        .members(
            ("created", created?.json), ("createdBy", createdBy?.json), ("comment", comment?.json), ("size", size.json))
    }
}

extension TagImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(image: try reader.required("image"), name: try reader.required("name"))
    }

    package var json: JSONValue { ["image": image.json, "name": name.json] }
}

extension RemoveImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(image: try reader.required("image"), force: try reader.flag("force"))
    }

    package var json: JSONValue { ["image": image.json, "force": force.json] }
}

extension PruneImages {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(all: try reader.flag("all"), filters: try reader.list("filters"))
    }

    package var json: JSONValue { .members(("all", all.json), ("filters", filters.isEmpty ? nil : filters.json)) }
}

extension ImagesRemoved {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            untagged: try reader.list("untagged"), deleted: try reader.list("deleted"),
            freedBytes: try reader.required("freedBytes"))
    }

    package var json: JSONValue {
        ["untagged": untagged.json, "deleted": deleted.json, "freedBytes": freedBytes.json]
    }
}
