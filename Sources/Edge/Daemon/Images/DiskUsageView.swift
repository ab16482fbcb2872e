import Engine
import Images
import Linux

// What images and containers take on the disk.
extension ImageService {
    func diskUsage() async throws(NodeFailure) -> NodeDiskUsage {
        let containers = await places()
        let volumes = try volumePlaces()
        return try await inStore { () async throws(ImageFailure) in
            try await Blocking.runLong { _ throws(ImageFailure) in
                let use = try self.images.use()
                let images = NodeDiskUsage.Part(
                    name: "images", total: use.images, active: use.active, bytes: use.bytes,
                    reclaimableBytes: use.reclaimableBytes)
                return NodeDiskUsage(
                    parts: [images, try Self.part("containers", containers), try Self.part("volumes", volumes)])
            }
        }
    }

    private struct Place {
        var isActive: Bool
        var directories: [String]
    }

    /// Where each volume's files are; active is one that a container has.
    private func volumePlaces() throws(NodeFailure) -> [Place] {
        let free = Set(try engine.listVolumes(ListVolumes(filters: ["dangling=true"])).volumes.map(\.name))
        return try engine.listVolumes(ListVolumes()).volumes.map { volume in
            Place(isActive: !free.contains(volume.name), directories: [volume.mountpoint])
        }
    }

    /// Where each container's files are: its record and log, and its room.
    private func places() async -> [Place] {
        var places: [Place] = []
        let containers = (try? await engine.list(ListContainers(all: true)))?.containers ?? []
        for container in containers {
            // One that is removed meanwhile takes nothing.
            guard let details = try? engine.inspect(container.id) else { continue }
            var directories = [details.directory]
            if let upper = try? await engine.files(of: container.id).upper, let slash = upper.lastIndex(of: "/") {
                directories.append(String(upper[..<slash]))
            }
            places.append(Place(isActive: container.phase.isActive, directories: directories))
        }
        return places
    }

    private static func part(_ name: String, _ places: [Place]) throws(ImageFailure) -> NodeDiskUsage.Part {
        var part = NodeDiskUsage.Part(name: name, total: places.count, active: 0, bytes: 0, reclaimableBytes: 0)
        do throws(SystemError) {
            for place in places {
                var bytes = 0
                for directory in place.directories { bytes += try DiskUse.bytes(below: directory) }
                part.bytes += bytes
                if place.isActive { part.active += 1 } else { part.reclaimableBytes += bytes }
            }
        } catch { throw .system(error) }
        return part
    }
}
