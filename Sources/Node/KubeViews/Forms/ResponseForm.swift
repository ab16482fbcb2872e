package import KubeObjects

/// In which form a client wants objects: whole, as rows of a table, or their metadata alone.
package enum ResponseForm: Hashable, Sendable {
    case object
    case table(TableForm)
    /// PartialObjectMetadata, in "v1" or "v1beta1" of meta.k8s.io; of a list, PartialObjectMetadataList.
    case metadata(version: String)

    /// What the form is wanted for: lists have forms of their own.
    package enum Subject: Hashable, Sendable {
        case object
        case list
        case watch
    }

    /// Takes the first form that a client asks for and that is served.
    ///
    /// - Parameter accept: The Accept header; nil for a client that sends none and takes everything.
    /// - Parameter includeObject: The query parameter of that name, of tables.
    /// - Throws: 406 when there is none, 400 for an `includeObject` that is none.
    package init(accept: String?, includeObject: String? = nil, of subject: Subject) throws(APIFailure) {
        let wanted = MediaRange.read(accept ?? "*/*")
        for range in accept?.isEmpty == true ? MediaRange.read("*/*") : wanted {
            guard ["application/json", "application/*", "*/*"].contains(range.type) else { continue }
            guard let form = range.parameters["as"] else {
                self = .object
                return
            }
            let version = range.parameters["v"] ?? ""
            guard range.parameters["g"] == "meta.k8s.io", ["v1", "v1beta1"].contains(version) else { continue }
            switch (form, subject) {
            case ("Table", _):
                self = .table(TableForm(version: version, objects: try TableForm.RowObject(includeObject)))
                return
            case ("PartialObjectMetadataList", .list), ("PartialObjectMetadata", .object),
                ("PartialObjectMetadata", .watch):
                self = .metadata(version: version)
                return
            default: continue
            }
        }
        throw APIFailure(
            406, "NotAcceptable", "only the following media types are accepted: application/json")
    }

    /// The `Content-Type` of an answer. A watch says the same.
    package var contentType: String { "application/json" }
}

/// How a table is wanted (meta/v1.TableOptions).
package struct TableForm: Hashable, Sendable {
    /// What stands in `object` of each row.
    package enum RowObject: String, Hashable, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case whole = "Object"

        init(_ parameter: String?) throws(APIFailure) {
            guard let parameter, !parameter.isEmpty else {
                self = .metadata
                return
            }
            guard let value = RowObject(rawValue: parameter) else {
                throw .badRequest(
                    "includeObject: Invalid value: \"\(parameter)\": must be 'Metadata', 'Object', 'None', or empty")
            }
            self = value
        }
    }

    /// "v1" or "v1beta1" of meta.k8s.io.
    package var version: String
    package var objects: RowObject

    package init(version: String = "v1", objects: RowObject = .metadata) {
        self.version = version
        self.objects = objects
    }
}
