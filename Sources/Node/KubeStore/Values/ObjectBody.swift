internal import JSON

/// An object's JSON without its `metadata.resourceVersion`, and the place where that belongs.
///
/// The revision of a write is known only once its turn has come, on the one thread that writes. So everything else is
/// encoded before, by whoever writes, and the revision is put in when the object is read.
///
/// Invariants
/// 1. Whatever `resourceVersion` a caller sends, the stored one is what is read.
///    (test: `the resource version is the store's own`)
/// 2. What is encoded can be parsed. (test: `what could not be read again is refused`)
struct ObjectBody: Hashable, Sendable {
    let bytes: [UInt8]
    /// Where the members of `metadata` begin, in bytes.
    let place: Int

    /// What this store has written.
    init(bytes: [UInt8], place: Int) {
        self.bytes = bytes
        self.place = place
    }

    /// - Throws: a sentence that says why it is no object of Kubernetes.
    init(_ value: JSONValue) throws(ObjectStoreFailure) {
        guard case .object(var members) = value else {
            throw .invalidObject("an object of Kubernetes is a JSON object, not \(value.kindName)")
        }
        guard case .object(var metadata) = members["metadata"] ?? .object([:]) else {
            throw .invalidObject("the metadata of an object is a JSON object, not \(members["metadata"]!.kindName)")
        }
        metadata["resourceVersion"] = nil
        members["metadata"] = .object(metadata)
        var bytes: [UInt8] = []
        var place = 0
        for member in members.members {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            bytes += JSONWriter.bytes(.string(member.key))
            bytes.append(UInt8(ascii: ":"))
            if member.key == "metadata" { place = bytes.count + 1 }
            bytes += JSONWriter.bytes(member.value)
        }
        bytes.append(UInt8(ascii: "}"))
        // Patches can nest deeper than any one request.
        guard JSONCheck.isValue(bytes) else {
            throw .invalidObject("its JSON has more than \(JSONParser.depthLimit) levels")
        }
        self.bytes = bytes
        self.place = place
    }

    /// The JSON with a revision in it.
    func bytes(revision: Int64) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 48)
        append(revision: revision, to: &result)
        return result
    }

    func append(revision: Int64, to result: inout [UInt8]) {
        result += bytes[..<place]
        result += #""resourceVersion":""#.utf8
        result += String(revision).utf8
        result.append(UInt8(ascii: "\""))
        if bytes[place] != UInt8(ascii: "}") { result.append(UInt8(ascii: ",")) }
        result += bytes[place...]
    }
}
