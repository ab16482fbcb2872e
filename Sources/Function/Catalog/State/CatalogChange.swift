internal import Lambda

/// One change of what is declared: what is written to disk, and what the state is made of again at a start.
enum CatalogChange: Hashable, Sendable {
    case function(FunctionRecord)
    case functionRemoved(String)
    case version(function: String, VersionRecord)
    case versionRemoved(function: String, version: Int)
    case layer(LayerRecord)
    case layerVersion(LayerVersionRecord)
    case layerVersionRemoved(layer: String, version: Int)
    case mapping(MappingRecord)
    case mappingRemoved(String)
}

/// What keeps something outside of the catalogue: a directory of code or of a layer, an image.
enum ContentKey: Hashable, Sendable {
    case code(String)
    case layer(String)
    case image(String)
}
