internal import JSON
internal import Lambda
internal import Linux

/// Everything that is declared, as a value: decided on without touching anything, changed only by `apply`.
///
/// Invariants
/// 1. A decision that throws has changed nothing, and one that does not is the same for the same state, request, time
///    and chance. (test: `a refused request changes nothing`)
/// 2. What `apply` makes of the changes on disk is the state that made them.
///    (test: `a catalogue that is opened again is the one that was closed`)
/// 3. Routes are those of the functions. (test: `every function, version and alias is found by each of its names`)
/// 4. What is still referred to is in use. (test: `code stays until no version refers to it`)
struct CatalogState: Sendable {
    let settings: CatalogSettings
    let places: CodePlaces
    private(set) var functions: [String: FunctionRecord] = [:]
    /// Published versions by function and number.
    private(set) var versions: [String: [Int: VersionRecord]] = [:]
    private(set) var layers: [String: LayerRecord] = [:]
    private(set) var layerVersions: [String: [Int: LayerVersionRecord]] = [:]
    private(set) var mappings: [String: MappingRecord] = [:]
    private(set) var routes: [String: FunctionRoutes] = [:]
    /// Functions by the id of their URL.
    private(set) var urls: [String: String] = [:]
    /// How often something outside is referred to, and how large it is.
    private(set) var uses: [ContentKey: (count: Int, size: Int)] = [:]
    private(set) var reservedTotal = 0

    init(settings: CatalogSettings, places: CodePlaces) {
        self.settings = settings
        self.places = places
    }

    var account: LambdaAccount { settings.account }

    mutating func apply(_ change: CatalogChange) {
        switch change {
        case .function(let record): replace(record.name, with: record)
        case .functionRemoved(let name):
            for version in (versions.removeValue(forKey: name) ?? [:]).values { count(version, -1) }
            replace(name, with: nil)
        case .version(let name, let version):
            guard let number = Int(version.version) else { return }
            count(versions[name]?[number], -1)
            versions[name, default: [:]][number] = version
            count(version, 1)
            route(name)
        case .versionRemoved(let name, let number):
            count(versions[name]?.removeValue(forKey: number), -1)
            if versions[name]?.isEmpty == true { versions[name] = nil }
            route(name)
        case .layer(let record): layers[record.name] = record
        case .layerVersion(let record):
            count(layerVersions[record.layer]?[record.version], -1)
            layerVersions[record.layer, default: [:]][record.version] = record
            count(record, 1)
        case .layerVersionRemoved(let layer, let number):
            count(layerVersions[layer]?.removeValue(forKey: number), -1)
            if layerVersions[layer]?.isEmpty == true { layerVersions[layer] = nil }
        case .mapping(let record): mappings[record.mapping.id] = record
        case .mappingRemoved(let id): mappings[id] = nil
        }
    }

    private mutating func replace(_ name: String, with record: FunctionRecord?) {
        let old = functions[name]
        count(old?.latest, -1)
        count(record?.latest, 1)
        reservedTotal += (record?.reserved ?? 0) - (old?.reserved ?? 0)
        for url in (old?.urls ?? [:]).values { urls[url.url.id] = nil }
        for url in (record?.urls ?? [:]).values { urls[url.url.id] = name }
        functions[name] = record
        route(name)
    }

    private mutating func route(_ name: String) {
        // At a start, a version may come before its function.
        routes[name] = functions[name].map { FunctionRoutes($0, versions[name] ?? [:], account, places) }
    }

    private mutating func count(_ version: VersionRecord?, _ by: Int) {
        guard let content = version?.content else { return }
        switch content.code.kind {
        case .zip(let directory): count(.code(directory), content.code.size, by)
        case .image(let id, _, _): count(.image(id), 0, by)
        }
        for layer in content.layers { count(.layer(layer.directory), layer.size, by) }
    }

    private mutating func count(_ layer: LayerVersionRecord?, _ by: Int) {
        if let layer { count(.layer(layer.directory), layer.size, by) }
    }

    private mutating func count(_ key: ContentKey, _ size: Int, _ by: Int) {
        let sum = (uses[key]?.count ?? 0) + by
        uses[key] = sum > 0 ? (sum, size) : nil
    }

    /// Bytes of all archives, each counted once.
    var codeSize: Int { uses.values.reduce(0) { $0 + $1.size } }
}

/// Where the code of functions and layers is unpacked.
struct CodePlaces: Hashable, Sendable {
    /// STATE/functions/code
    var code: String
    /// STATE/functions/layers
    var layers: String

    func code(_ directory: String) -> String { "\(code)/\(directory)/tree" }
    func layer(_ directory: String) -> String { "\(layers)/\(directory)/tree" }
}
