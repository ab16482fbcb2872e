package import JSON
package import Linux

/// Something that happened to a container, an image, a network, a volume or a build, in the words of `docker events`.
package struct NodeEvent: NodeValue {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case container, image, network, volume, build
    }

    package var time: Timestamp
    package var kind: Kind
    /// "start", "die", "pull", "health_status: healthy" ...
    package var action: String
    /// Whose it is: a container's id, an image's name or digest, a network's id, a volume's name.
    package var subject: String
    /// "name", "image", "exitCode", "signal", the labels of a container ...
    package var attributes: [String: String]

    package init(time: Timestamp, kind: Kind, action: String, subject: String, attributes: [String: String]) {
        self.time = time
        self.kind = kind
        self.action = action
        self.subject = subject
        self.attributes = attributes
    }

    /// The action without what follows it: "health_status" of "health_status: healthy", "exec_start" of
    /// "exec_start: sh -c true".
    package var verb: Substring { action.prefix { $0 != ":" } }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            time: try reader.required("time"), kind: try reader.word("type"), action: try reader.required("action"),
            subject: try reader.required("id"), attributes: try reader.dictionary("attributes"))
    }

    package var json: JSONValue {
        .members(
            ("time", time.json), ("type", .string(kind.rawValue)), ("action", action.json), ("id", subject.json),
            ("attributes", attributes.json))
    }
}

/// Reads what happened, and with no end, or a later one, what happens: `events`.
package struct ReadEvents: NodeRequest {
    package typealias Item = NodeEvent
    package typealias Answer = NoValue
    package static let operation = NodeOperation.readEvents

    /// nil: only what happens from now on.
    package var since: Timestamp?
    /// nil: until the request is taken back.
    package var until: Timestamp?
    /// "type=container", "event=start", "container=NAME", "image=NAME", "label=KEY[=VALUE]", "volume=NAME",
    /// "network=NAME": any of one key, every key.
    package var filters: [String]

    package init(since: Timestamp? = nil, until: Timestamp? = nil, filters: [String] = []) {
        self.since = since
        self.until = until
        self.filters = filters
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            since: try reader.optional("since"), until: try reader.optional("until"), filters: try reader.list("filters"))
    }

    package var json: JSONValue {
        .members(("since", since?.json), ("until", until?.json), ("filters", filters.json))
    }
}
