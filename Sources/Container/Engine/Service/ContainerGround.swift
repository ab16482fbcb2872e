import Keeper
import Linux
import Sandbox

/// What a container's sandbox stands on besides its plan: layers, room, host name, network and its files of /etc.
struct ContainerGround: Sendable {
    /// nil without a node.
    var images: ContainerImages?
    var directory: ContainerDirectory

    /// An image as this container's root; nil for one without image.
    func root(of record: ContainerRecord) async throws(NodeFailure) -> ImageRoot? {
        guard record.spec.image != nil else { return nil }
        guard let images else { throw Self.noImages(record.spec) }
        return ImageRoot(layers: try await images.layers(of: record), rooms: directory.rooms, room: record.room)
    }

    static func noImages(_ spec: ContainerSpec) -> NodeFailure {
        NodeFailure(
            .unsupported,
            "the image \"\(spec.image?.name ?? "")\" needs a node: start one with \"forkless node\" and run it again")
    }

    /// What a start brings that its plan does not have.
    struct Particulars: Sendable {
        var files = RoomFiles()
        /// The network's namespace, for a plan whose network is given.
        var network: SharedFD?
    }

    /// Gets ready what the start needs.
    ///
    /// - Parameter launch: what of it the network decides is written into it.
    func prepare(
        _ record: ContainerRecord, _ launch: inout PlannedLaunch
    ) async throws(NodeFailure) -> Particulars {
        guard record.spec.image != nil, let hostname = record.hostname else { return Particulars() }
        let resolver: String
        do {
            resolver = try await BlockingPool.shared.run { () throws(SystemError) in
                Files.exists("/etc/resolv.conf") ? try Files.readText("/etc/resolv.conf") + "\n" : ""
            }
        } catch { throw NodeFailure(.system, "\(error)") }
        let hosts = "127.0.0.1\tlocalhost \(hostname)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        return Particulars(files: RoomFiles(hosts: hosts, hostname: hostname + "\n", resolver: resolver))
    }

    /// Gives back what `prepare` made ready; also after one that failed.
    func release(_ record: ContainerRecord) async {}
}

extension ContainerRecord {
    /// The host name inside; nil: one for all containers, which is the plan's.
    var hostname: String? { spec.hostname ?? (spec.image == nil ? nil : String(id.prefix(12))) }
}
