internal import JSON
internal import Lambda

/// One page of a list. A marker is the name of the last element that was given, so that a list that changes meanwhile
/// is neither repeated nor torn.
struct Page {
    /// Elements come after this name.
    private let after: String?
    private let limit: Int

    /// - Parameters:
    ///   - cap: elements that the service gives at most, whatever is asked for.
    ///   - most: what may be asked for.
    init(_ request: CatalogRequest, cap: Int = 50, most: Int = 10_000) throws(LambdaFailure) {
        if let marker = request.query("Marker"), !marker.isEmpty {
            guard let bytes = Base64.bytes(marker), let text = String(validating: bytes, as: UTF8.self) else {
                throw .invalidParameter(
                    "The Marker \(String(reflecting: String(marker.prefix(256)))) is none that this node has given. "
                        + "Send the NextMarker of the page before.")
            }
            after = text
        } else {
            after = nil
        }
        guard let items = request.query("MaxItems") else {
            limit = cap
            return
        }
        guard let count = Int(items), 1...most ~= count else {
            throw .invalidParameter(
                "1 validation error detected: Value '\(items.prefix(64))' at 'maxItems' failed to satisfy constraint: "
                    + "Member must have value between 1 and \(most)")
        }
        limit = min(count, cap)
    }

    /// The page as the service answers it.
    func answer<Element>(
        _ key: String, _ elements: [(name: String, element: Element)], _ write: (Element) -> JSONValue
    ) -> JSONObject {
        let sorted = elements.sorted { $0.name < $1.name }
        let rest = sorted.drop { element in after.map { element.name <= $0 } ?? false }
        var object = JSONObject()
        object[key] = .array(rest.prefix(limit).map { write($0.element) })
        if rest.count > limit, let last = rest.prefix(limit).last {
            object["NextMarker"] = .string(Base64.text(Array(last.name.utf8)))
        }
        return object
    }
}

extension Int {
    /// Sorts as text like the number: "0000000012".
    var sortable: String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, 18 - digits.utf8.count)) + digits
    }
}
