internal import Lambda

/// One operation: a method, a pattern of the path, and what answers it.
struct Route: Sendable {
    enum Target: Hashable, Sendable {
        case invoke
        /// The call of SDKs of 2014.
        case invokeAsync
        case invokeWithResponseStream
        case operation(LambdaOperation)
        /// The service's name of what this node does not have.
        case unsupported(String)
    }

    /// A part of a path that stands for a parameter, as it came.
    struct Part {
        var name: String
        var raw: Substring
    }

    private enum Segment: Sendable {
        case literal(String)
        case parameter(String)
    }

    let method: String
    /// "/2015-03-31/functions/{FunctionName}/code"
    let pattern: String
    /// A parameter of the query that belongs to the path.
    let query: (name: String, value: String)?
    let target: Target
    private let segments: [Segment]

    init(_ method: String, _ pattern: String, query: (String, String)? = nil, _ target: Target) {
        self.method = method
        self.pattern = pattern
        self.query = query.map { ($0.0, $0.1) }
        self.target = target
        segments = pattern.split(separator: "/").map {
            $0.hasPrefix("{") ? .parameter(String($0.dropFirst().dropLast())) : .literal(String($0))
        }
    }

    /// "2015-03-31"
    var date: String {
        guard case .literal(let date) = segments[0] else {
            preconditionFailure("\(pattern) does not begin with a date")
        }
        return date
    }

    /// The parameters of a path that has this pattern; nil when it has another one.
    func parts(of path: ArraySlice<Substring>) -> [Part]? {
        guard path.count == segments.count else { return nil }
        var parts: [Part] = []
        for (segment, piece) in zip(segments, path) {
            switch segment {
            case .literal(let text): if piece != text { return nil }
            case .parameter(let name):
                if piece.isEmpty { return nil }
                parts.append(Part(name: name, raw: piece))
            }
        }
        return parts
    }
}

/// What a request asks for.
struct RouteMatch {
    struct Part: Hashable {
        var name: String
        var value: String
    }

    var target: Route.Target
    /// Decoded.
    var parts: [Part]
    /// Without what belongs to the path.
    var query: QueryItems

    subscript(name: String) -> String? { parts.first { $0.name == name }?.value }
}

extension QueryItems {
    func without(_ name: String?) -> QueryItems {
        guard let name else { return self }
        var rest = self
        rest.items.removeAll { $0.name == name }
        return rest
    }
}
