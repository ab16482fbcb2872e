package import JSON
internal import OCI

extension BuildRecipe {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            context: try reader.word("context"), file: try reader.required("file"),
            ignoreFile: try reader.optional("ignoreFile"), target: try reader.optional("target"),
            arguments: try reader.dictionary("arguments"))
        if let text: String = try reader.optional("platform") {
            guard let platform = Platform(text) else {
                throw reader.error("platform", "\"\(text)\" is no platform such as linux/amd64")
            }
            self.platform = platform
        }
    }

    package var json: JSONValue {
        .members(
            ("context", .string(context.rawValue)), ("file", file.json), ("ignoreFile", ignoreFile?.json),
            ("target", target?.json), ("arguments", arguments.json), ("platform", platform?.description.json))
    }
}

extension ListBuildImages {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(try reader.nested("recipe"))
    }

    package var json: JSONValue { .members(("recipe", recipe.json)) }
}

extension BuildImageList {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(images: try reader.list("images"), missing: try reader.list("missing"))
    }

    package var json: JSONValue { .members(("images", images.json), ("missing", missing.json)) }
}

extension BuildImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            try reader.nested("recipe"), tags: try reader.list("tags"), labels: try reader.dictionary("labels"),
            usesCache: try reader.required("usesCache"), network: try reader.word("network", default: .standard),
            epoch: try reader.optional("epoch"))
    }

    package var json: JSONValue {
        .members(
            ("recipe", recipe.json), ("tags", tags.json), ("labels", labels.json), ("usesCache", usesCache.json),
            ("network", .string(network.rawValue)), ("epoch", epoch?.json))
    }
}

extension BuildProgress {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            try reader.word("kind"), step: try reader.optional("step") ?? 0, steps: try reader.optional("steps") ?? 0,
            text: try reader.optional("text") ?? "", milliseconds: try reader.optional("milliseconds"))
    }

    package var json: JSONValue {
        .members(
            ("kind", .string(kind.rawValue)), ("step", step.json), ("steps", steps.json), ("text", text.json),
            ("milliseconds", milliseconds?.json))
    }
}

extension ImageBuilt {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            id: try reader.required("id"), digest: try reader.required("digest"), names: try reader.list("names"),
            steps: try reader.required("steps"), cachedSteps: try reader.required("cachedSteps"))
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("digest", digest.json), ("names", names.json), ("steps", steps.json),
            ("cachedSteps", cachedSteps.json))
    }
}

extension PruneBuildCache {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(unusedSince: try reader.optional("unusedSince"))
    }

    package var json: JSONValue { .members(("unusedSince", unusedSince?.json)) }
}

extension BuildCachePruned {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(records: try reader.required("records"), freedBytes: try reader.required("freedBytes"))
    }

    package var json: JSONValue { .members(("records", records.json), ("freedBytes", freedBytes.json)) }
}
