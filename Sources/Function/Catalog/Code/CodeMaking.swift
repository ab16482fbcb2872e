internal import JSON
internal import Lambda

/// The archive that a request brings, before anything is done with it.
enum CodeMaking {
    /// Bytes of an archive in a request, as the service limits it.
    static let archiveLimit = 50 << 20

    /// What a request brings; nil when it brings nothing, which the decision then says.
    enum Source {
        case zip([UInt8])
        case image(String)
    }

    static func source(_ operation: LambdaOperation, _ body: JSONValue) throws(LambdaFailure) -> Source? {
        let place: JSONValue? =
            switch operation {
            case .createFunction: body["Code"]
            case .updateFunctionCode: body
            case .publishLayerVersion: body["Content"]
            default: nil
            }
        if let value = place?["ZipFile"], !value.isNull {
            guard case .string(let text) = value else {
                throw .invalidParameter("'zipFile' must be a string with base64, not \(value.kindName).")
            }
            return .zip(try archive(text))
        }
        if operation != .publishLayerVersion, let value = place?["ImageUri"], !value.isNull {
            guard case .string(let uri) = value, !uri.isEmpty, uri.utf8.count <= 1024 else {
                throw .invalidParameter("'imageUri' must be the name of an image of this node, not \(value.kindName).")
            }
            return .image(uri)
        }
        return nil
    }

    private static func archive(_ text: String) throws(LambdaFailure) -> [UInt8] {
        guard text.utf8.count / 4 * 3 <= archiveLimit + 3 else {
            throw LambdaFailure(
                "RequestTooLargeException", status: 413,
                "The archive has more than \(archiveLimit) bytes, which is as much as a request may bring. Leave out what the "
                    + "function does not need, or deploy a container image.")
        }
        guard let bytes = Base64.bytes(text) else {
            throw .invalidParameter("'zipFile' is no base64.")
        }
        guard !bytes.isEmpty else { throw .invalidParameter("Uploaded file must be a non-empty zip") }
        return bytes
    }
}
