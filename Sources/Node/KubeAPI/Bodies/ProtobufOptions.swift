import JSON
import KubeObjects
import KubeSchema

/// Options that typed clients of Go send as protocol buffers.
enum ProtobufOptions {
    static func deletion(_ bytes: [UInt8]) throws(APIFailure) -> JSONValue {
        guard let type = Schema.kubernetes.type(named: "meta/v1.DeleteOptions") else {
            preconditionFailure("the schema has no meta/v1.DeleteOptions")
        }
        do throws(ProtobufError) {
            let envelope = try ProtobufDecoder.envelope(bytes)
            return try ProtobufDecoder.decode(envelope, as: type, of: .kubernetes)
        } catch { throw .badRequest("the object provided is unrecognized (must be of type DeleteOptions): \(error)") }
    }
}
