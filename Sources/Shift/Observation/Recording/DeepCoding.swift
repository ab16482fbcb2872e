import JSON

extension DeepFacts {
    private static let lists: [(name: String, path: any WritableKeyPath<DeepFacts, [String]> & Sendable)] = [
        ("environmentGiven", \.environmentGiven),
        ("environmentChangedForChildren", \.environmentChangedForChildren), ("terminals", \.terminals),
        ("sharedMemory", \.sharedMemory), ("identityChanges", \.identityChanges), ("signalsSent", \.signalsSent),
    ]

    var json: JSONValue {
        var json: JSONValue = [:]
        json["files"] = files.isEmpty ? .none : .array(files.map(\.json))
        json["sockets"] = sockets.isEmpty ? .none : .array(sockets.map(\.json))
        for list in Self.lists where !self[keyPath: list.path].isEmpty {
            json[list.name] = self[keyPath: list.path].json
        }
        json["environmentValues"] = environmentValues.isEmpty ? .none : environmentValues.json
        json["inheritedDescriptors"] = inheritedDescriptors.isEmpty ? .none : .array(inheritedDescriptors.map(\.json))
        json["notableCalls"] = notableCalls.isEmpty ? .none : notableCalls.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init()
        files = try reader.array("files") { file throws(JSONShapeError) in try FileUse(&file) }
        sockets = try reader.array("sockets") { socket throws(JSONShapeError) in try SocketUse(&socket) }
        for list in Self.lists { self[keyPath: list.path] = try reader.list(list.name) }
        environmentValues = try reader.dictionary("environmentValues")
        inheritedDescriptors = try reader.array("inheritedDescriptors") { descriptor throws(JSONShapeError) in
            try InheritedDescriptor(&descriptor)
        }
        notableCalls = try reader.dictionary("notableCalls")
        try reader.refuseUnknown()
    }
}

extension FileUse {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["path"] = path.json
        json["actions"] = actions.map(\.rawValue).json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let words: [String] = try reader.list("actions")
        var actions: [Action] = []
        for word in words {
            guard let action = Action(rawValue: word) else {
                throw reader.error("actions", "\"\(word)\" is nothing that is done to a file")
            }
            actions.append(action)
        }
        self.init(path: try reader.required("path"), actions: actions)
        try reader.refuseUnknown()
    }
}

extension SocketUse {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["family"] = family.json
        json["type"] = type.isEmpty ? .none : type.json
        json["address"] = address.isEmpty ? .none : address.json
        json["action"] = action.rawValue.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            family: try reader.required("family"), type: try reader.optional("type") ?? "",
            address: try reader.optional("address") ?? "", action: try reader.choice("action"))
        try reader.refuseUnknown()
    }
}

extension InheritedDescriptor {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["number"] = number.json
        json["target"] = target.json
        json["access"] = access?.rawValue.json
        if appends { json["appends"] = true }
        json["isUsed"] = isUsed?.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            number: try reader.required("number"), target: try reader.required("target"),
            access: reader.has("access") ? try reader.choice("access") : nil,
            appends: try reader.optional("appends") ?? false, isUsed: try reader.optional("isUsed"))
        let _: String? = try reader.optional("access")
        try reader.refuseUnknown()
    }
}
