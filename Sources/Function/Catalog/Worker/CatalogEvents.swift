internal import Lambda

extension CatalogEvent {
    /// What changes mean for others, from the states before and after them.
    static func events(_ changes: [CatalogChange], _ before: CatalogState, _ after: CatalogState) -> [CatalogEvent] {
        var events: [CatalogEvent] = []
        var names: [String] = []
        for change in changes {
            switch change {
            case .function(let record): if !names.contains(record.name) { names.append(record.name) }
            case .functionRemoved(let name), .version(let name, _), .versionRemoved(let name, _):
                if !names.contains(name) { names.append(name) }
            case .mapping(let record): events.append(.mapping(record.mapping))
            case .mappingRemoved(let id):
                if let record = before.mappings[id] { events.append(.mappingDeleted(record.mapping)) }
            case .layer, .layerVersion, .layerVersionRemoved: break
            }
        }
        for name in names { events += function(name, before, after) }
        return events
    }

    private static func function(_ name: String, _ before: CatalogState, _ after: CatalogState) -> [CatalogEvent] {
        var events = deployments(name, before, after)
        let (old, new) = (before.functions[name], after.functions[name])
        if old?.reserved != new?.reserved { events.append(.reservedConcurrency(name: name, new?.reserved)) }
        let provisioned = new.map { after.provisioned($0) } ?? []
        if (old.map { before.provisioned($0) } ?? []) != provisioned {
            events.append(.provisionedConcurrency(name: name, provisioned))
        }
        let (oldURLs, newURLs) = (old?.urls ?? [:], new?.urls ?? [:])
        for (key, url) in oldURLs.sorted(by: { $0.key < $1.key }) where newURLs[key]?.url.id != url.url.id {
            events.append(.functionURLDeleted(url.url))
        }
        for (key, url) in newURLs.sorted(by: { $0.key < $1.key }) where oldURLs[key]?.url != url.url {
            events.append(.functionURL(url.url))
        }
        if old != nil, new == nil { events.append(.functionDeleted(name: name)) }
        return events
    }

    private static func deployments(_ name: String, _ before: CatalogState, _ after: CatalogState) -> [CatalogEvent] {
        var events: [CatalogEvent] = []
        let (old, new) = (before.routes[name], after.routes[name])
        switch (old?.unqualified.function, new?.unqualified.function) {
        case (let old, let new?): if old != new { events.append(.deployed(new, replacing: old)) }
        case (let old?, nil): events.append(.retired(old))
        case (nil, nil): break
        }
        let (oldVersions, newVersions) = (before.versions[name] ?? [:], after.versions[name] ?? [:])
        for number in oldVersions.keys.sorted() where newVersions[number] == nil {
            if let gone = old?.qualified["\(number)"] { events.append(.retired(gone.function)) }
        }
        for number in newVersions.keys.sorted() where oldVersions[number] == nil {
            if let added = new?.qualified["\(number)"] { events.append(.deployed(added.function, replacing: nil)) }
        }
        return events
    }
}
