import JSON
import KubeObjects
import KubeStore

/// An object as a verb gives it back: stored bytes where there are some, which most answers only pass on.
enum ShownObject: Sendable {
    case stored(StoredObject)
    case value(JSONValue)

    var value: JSONValue {
        switch self {
        case .stored(let object): object.value
        case .value(let value): value
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .stored(let object): object.bytes
        case .value(let value): JSONWriter.bytes(value)
        }
    }
}
