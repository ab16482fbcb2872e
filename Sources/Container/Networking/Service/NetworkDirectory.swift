import JSON
import Linux

/// Networks on disk: `STATE/networks/NAME.json`, and `STATE/networks/attachments/ID.json` for each container that
/// runs in some. Every function blocks, shortly.
///
/// Invariant: a record that cannot be read is reported and left as it is.
/// (test: `an unreadable network record is reported and left alone`)
struct NetworkDirectory: Sendable {
    let path: String
    private var attachments: String { path + "/attachments" }
    private var routingFile: String { path + "/routing" }
    /// Larger than any record, by far.
    private static let recordBytesLimit = 4 << 20

    init(state: String) { path = state + "/networks" }

    /// Whether there has ever been a network.
    var exists: Bool { Files.exists(path) }

    func open() throws(SystemError) { try Files.makeDirectories(attachments, mode: 0o700) }

    /// Survives a power cut.
    func write(_ network: NetworkDefinition) throws(SystemError) {
        try Files.replace("\(path)/\(network.name).json", with: JSONWriter.bytes(network.json))
    }

    func remove(network name: String) throws(SystemError) { try removeFile("\(path)/\(name).json") }

    /// Survives this process, which is enough: a power cut ends the container.
    func write(_ attachment: AttachmentRecord) throws(SystemError) {
        try Files.replaceInMemory("\(attachments)/\(attachment.containerID).json", with: JSONWriter.bytes(attachment.json))
    }

    func remove(attachment containerID: String) throws(SystemError) { try removeFile("\(attachments)/\(containerID).json") }

    /// What the machine had before networks made it route; nil: nothing was changed.
    func routing() throws(SystemError) -> RoutingRecord? {
        guard Files.exists(routingFile) else { return nil }
        let bytes = try Files.read(routingFile, limit: Self.recordBytesLimit)
        do { return try RoutingRecord(json: try JSONParser.parse(bytes)) } catch { return nil }
    }

    /// Survives this process, which is enough: another start of the machine sets everything anew.
    func write(_ routing: RoutingRecord) throws(SystemError) {
        try Files.replaceInMemory(routingFile, with: JSONWriter.bytes(routing.json))
    }

    func removeRouting() throws(SystemError) { try removeFile(routingFile) }

    private func removeFile(_ path: String) throws(SystemError) {
        do throws(SystemError) { try Files.remove(path) } catch { guard error.code == .noEntry else { throw error } }
    }

    struct Contents: Sendable {
        var networks: [NetworkDefinition] = []
        var attachments: [AttachmentRecord] = []
        /// A sentence for each record that cannot be read.
        var remarks: [String] = []
    }

    func load() throws(SystemError) -> Contents {
        var contents = Contents()
        for name in try Files.list(path).sorted() where name.hasSuffix(".json") {
            if let network = read("\(path)/\(name)", &contents.remarks, NetworkDefinition.init(json:)) {
                do throws(NetworkFailure) {
                    try network.check()
                    contents.networks.append(network)
                } catch { contents.remarks.append("\(path)/\(name) was left as it is: \(error)") }
            }
        }
        for name in try Files.list(attachments).sorted() where name.hasSuffix(".json") {
            if let record = read("\(attachments)/\(name)", &contents.remarks, AttachmentRecord.init(json:)) {
                contents.attachments.append(record)
            }
        }
        return contents
    }

    private func read<Record>(
        _ file: String, _ remarks: inout [String], _ decode: (JSONValue) throws(JSONShapeError) -> Record
    ) -> Record? {
        do {
            return try decode(try JSONParser.parse(try Files.read(file, limit: Self.recordBytesLimit)))
        } catch {
            remarks.append("\(file) cannot be read and was left as it is: \(error)")
            return nil
        }
    }
}
