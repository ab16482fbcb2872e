import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Synchronization

/// One use of one kind: who, what, and under which options. The verbs take nothing else from a request.
struct Call: Sendable {
    let user: UserInfo
    let served: ServedKind
    /// nil for what has none, and for all namespaces.
    let namespace: String?
    let name: String?
    let subresource: String?
    var options = WriteOptions()
    var warnings = Warnings()
    /// Whether nobody asks what the user may do: what runs in the node.
    var isTrusted = false

    init(
        _ user: UserInfo, _ served: ServedKind, namespace: String? = nil, name: String? = nil,
        subresource: String? = nil
    ) {
        self.user = user
        self.served = served
        self.namespace = served.kind.isNamespaced ? namespace : nil
        self.name = name
        self.subresource = subresource
    }

    var kind: Kind { served.kind }
    var resource: Resource { served.resource }
    /// Whether its kind came by a CustomResourceDefinition.
    var isCustom: Bool { served.custom != nil }

    /// The JSON of an object in this call's version: those of custom kinds may be stored in another one.
    func converted(_ shown: ShownObject) -> [UInt8] {
        let bytes = shown.bytes
        guard StoredForm.differs(self),
            !bytes.starts(with: Array("{\"apiVersion\":\"\(kind.id.apiVersion)\"".utf8)),
            let value = try? JSONParser.parse(bytes), value["apiVersion"]?.string != kind.id.apiVersion
        else { return bytes }
        return JSONWriter.bytes(StoredForm.shown(value, self))
    }

    func key() throws(APIFailure) -> ObjectKey {
        guard let name, !name.isEmpty, !kind.isNamespaced || namespace != nil else {
            throw .badRequest("the path names no object of \(resource)")
        }
        return resource.key(namespace: namespace, name)
    }
}

/// What an answer says besides: Warning headers.
final class Warnings: Sendable {
    /// As many as one answer carries, and as long each (`warning.go` of k8s.io/apiserver).
    static let countLimit = 64
    static let lengthLimit = 1024

    private let list = Mutex<[String]>([])

    /// Once each.
    func add(_ texts: [String]) {
        guard !texts.isEmpty else { return }
        list.withLock { list in
            for text in texts where list.count < Self.countLimit && !list.contains(text) { list.append(text) }
        }
    }

    func add(_ text: String) { add([text]) }
    var all: [String] { list.withLock { $0 } }

    /// RFC 9111's header, removed from there and used by Kubernetes: `299 - "..."`.
    static func header(_ text: String) -> String {
        var quoted = "\""
        for scalar in String(text.prefix(lengthLimit)).unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return "299 - " + quoted + "\""
    }
}
