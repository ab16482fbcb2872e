import JSON
import KubeObjects
import KubeStore

/// An object as a verb gives it back: stored bytes where there are some, which most answers only pass on.
enum ShownObject: Sendable {
    case stored(StoredObject)
    case value(JSONValue)
    /// JSON that nobody needs to look into.
    case bytes([UInt8])

    var value: JSONValue {
        switch self {
        case .stored(let object): object.value
        case .value(let value): value
        case .bytes(let bytes): (try? JSONParser.parse(bytes)) ?? .null
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .stored(let object): object.bytes
        case .value(let value): JSONWriter.bytes(value)
        case .bytes(let bytes): bytes
        }
    }
}
