/// Which events a reader wants: the filters of `docker events`.
struct EventFilter: Sendable {
    private let filters: Filters

    static let keys = ["type", "event", "container", "image", "label", "volume", "network"]

    /// - Throws: `NodeFailure` of kind `badRequest` for a filter that does not exist.
    init(_ texts: [String]) throws(NodeFailure) {
        filters = try Filters(texts, known: Self.keys)
        for kind in filters.all("type") where NodeEvent.Kind(rawValue: kind) == nil {
            let kinds = NodeEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw NodeFailure(.badRequest, "--filter \"type=\(kind)\": there is no such type of event; there are \(kinds)")
        }
    }

    func wants(_ event: NodeEvent) -> Bool {
        filters.matches("type") { $0 == event.kind.rawValue }
            && filters.matches("event") { $0 == event.action || $0 == event.verb }
            && filters.matches("container") { event.kind == .container && Self.names(event, $0) }
            && filters.matches("volume") { event.kind == .volume && Self.names(event, $0) }
            && filters.matches("network") { event.kind == .network && Self.names(event, $0) }
            && filters.matches("image") { Self.isOfImage(event, $0) }
            && filters.matchesLabels(event.attributes)
    }

    /// By the beginning of an id or a whole name.
    private static func names(_ event: NodeEvent, _ wanted: String) -> Bool {
        !wanted.isEmpty && (event.subject.hasPrefix(wanted) || event.attributes["name"] == wanted)
    }

    /// An image's own events, and those of containers made from it; "NAME" is every tag of it.
    private static func isOfImage(_ event: NodeEvent, _ wanted: String) -> Bool {
        let names =
            switch event.kind {
            case .image: [event.subject, event.attributes["name"] ?? ""]
            case .container: [event.attributes["image"] ?? ""]
            default: [String]()
            }
        return names.contains { $0 == wanted || $0.hasPrefix(wanted + ":") }
    }
}
