internal import JSON
internal import Lambda

/// A request with what was made ready for it: the code that it brings.
struct CatalogRequest: Sendable {
    var input: OperationInput
    /// Code of CreateFunction and UpdateFunctionCode, content of PublishLayerVersion.
    var code: CodeRecord?

    init(_ input: OperationInput, code: CodeRecord? = nil) {
        self.input = input
        self.code = code
    }

    func path(_ name: String) throws(LambdaFailure) -> String {
        guard let value = input.path[name], !value.isEmpty else {
            throw .invalidParameter(
                "1 validation error detected: Value null at '\(name.prefix(1).lowercased() + name.dropFirst())' failed to satisfy constraint: "
                    + "Member must not be null")
        }
        return value
    }

    func query(_ name: String) -> String? { input.query.first { $0.name == name }?.value }

    func queries(_ name: String) -> [String] { input.query.filter { $0.name == name }.map(\.value) }

    /// Refuses parameters of the query that the operation does not know.
    func allowQuery(_ names: String...) throws(LambdaFailure) {
        guard let stranger = input.query.first(where: { !names.contains($0.name) }) else { return }
        throw .invalidParameter(
            "'\(stranger.name.prefix(128))' is no parameter that this operation knows. It knows "
                + (names.isEmpty ? "none." : names.joined(separator: ", ") + "."))
    }

    func members() throws(LambdaFailure) -> RequestMembers { try RequestMembers(input.body) }
}

extension CatalogRequest {
    /// Leaves a mark where the archive was: megabytes of base64 that have been unpacked.
    mutating func forgetArchive() {
        for path in [["Code", "ZipFile"], ["Content", "ZipFile"], ["ZipFile"]] {
            if path.count == 1, input.body[path[0]] != nil { input.body[path[0]] = "" }
            if path.count == 2, input.body[path[0]]?[path[1]] != nil { input.body[path[0], path[1]] = "" }
        }
    }
}
