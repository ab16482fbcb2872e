package import JSON
package import Lambda

/// Something to be delivered once an event has ended: it stands in the outbox from the transaction that removed the event
/// until it is done, and doing it twice has one effect.
package enum Delivery: Hashable, Sendable {
    /// To a function, as an asynchronous event of its own.
    case invoke(target: String, requestID: String, orderKey: String?)
    /// To a queue of this node. `group` and `deduplicationID` count for FIFO queues.
    case send(queue: String, group: String, deduplicationID: String)
    /// Into a file of a directory.
    case write(directory: String, name: String)
    /// Removes a file, if it is still the version that made the event.
    case remove(FileVersion)
    /// Moves it to a directory of the same file system.
    case move(FileVersion, directory: String)

    /// Where a record of an event goes.
    ///
    /// - Parameters:
    ///   - id: of the event: its key, or its request id.
    ///   - orderKey: a FIFO queue gets it as the message group.
    package init(to destination: Destination, id: String, orderKey: String?) {
        switch destination {
        case .function(let reference):
            let account = LambdaAccount(
                region: reference.region ?? LambdaAccount().region, id: reference.account ?? LambdaAccount().id)
            self = .invoke(
                target: account.function(reference.name, reference.qualifier), requestID: id, orderKey: orderKey)
        case .queue(let name): self = .send(queue: name, group: orderKey ?? id, deduplicationID: id)
        case .directory(let path): self = .write(directory: path, name: FileNaming.name(of: id))
        }
    }

    package var json: JSONValue {
        switch self {
        case .invoke(let target, let requestID, let orderKey):
            return [
                "invoke": .string(target), "requestID": .string(requestID),
                "orderKey": orderKey.map { .string($0) } ?? .null,
            ]
        case .send(let queue, let group, let deduplicationID):
            return ["send": .string(queue), "group": .string(group), "deduplicationID": .string(deduplicationID)]
        case .write(let directory, let name): return ["write": .string(directory), "name": .string(name)]
        case .remove(let file): return ["remove": file.json]
        case .move(let file, let directory): return ["move": file.json, "directory": .string(directory)]
        }
    }

    package init?(json: JSONValue) {
        if let target = json["invoke"]?.string, let requestID = json["requestID"]?.string {
            self = .invoke(target: target, requestID: requestID, orderKey: json["orderKey"]?.string)
        } else if let queue = json["send"]?.string, let group = json["group"]?.string,
            let deduplicationID = json["deduplicationID"]?.string
        {
            self = .send(queue: queue, group: group, deduplicationID: deduplicationID)
        } else if let directory = json["write"]?.string, let name = json["name"]?.string {
            self = .write(directory: directory, name: name)
        } else if let file = json["remove"].flatMap({ FileVersion(json: $0) }) {
            self = .remove(file)
        } else if let file = json["move"].flatMap({ FileVersion(json: $0) }), let directory = json["directory"]?.string
        {
            self = .move(file, directory: directory)
        } else {
            return nil
        }
    }
}

/// Names of files made of ids.
enum FileNaming {
    /// Letters, digits and a few signs stand as they are, every other byte as %XX, so that different ids have different
    /// names and none leaves the directory. A name that would be longer than a file system allows ends with a digest.
    static func name(of id: String) -> String {
        var name = ""
        for (index, byte) in id.utf8.enumerated() {
            let isPlain =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "@"):
                    true
                case UInt8(ascii: "."): index > 0
                default: false
                }
            name += isPlain ? String(Unicode.Scalar(byte)) : "%" + Hexadecimal.text([byte]).uppercased()
        }
        guard name.utf8.count > 200 || name.isEmpty else { return name + ".json" }
        return String(name.prefix(120)) + "~" + Digests.sha256(Array(id.utf8)) + ".json"
    }
}
